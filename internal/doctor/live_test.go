package doctor_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost/internal/doctor"
	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/netguard"
	"github.com/rohrpost/rohrpost/internal/transport/smtp"
)

// TestLive: what is told at once is what the report says in the end.
func TestLive(t *testing.T) {
	t.Parallel()
	login := failure.Cause{Stage: failure.StageAuth, Reply: failure.Reply{Code: 535, Lines: []string{"5.7.8 no"}}}
	for name, steps := range map[string]func() told{
		"all well": healthy,
		"failed":   func() told { return healthy().fail(smtp.StepLogin, login) },
	} {
		for _, who := range []string{"operator", "administrator", "guarded"} {
			r := request("de")
			r.Operator, r.Guarded = who == "operator", who == "guarded"
			var seen []doctor.Step
			r.Seen = func(s doctor.Step) { seen = append(seen, s) }
			report := examine(t, steps(), r)
			want := slices.DeleteFunc(report.Steps, func(s doctor.Step) bool { return s.Verdict == doctor.Skipped })
			if who == "guarded" { // how long each took is told in the end
				for i := range want {
					want[i].Took = 0
				}
			}
			if diff := cmp.Diff(want, seen); diff != "" {
				t.Errorf("%s, %s (-report +told):\n%s", name, who, diff)
			}
		}
	}
}

// TestLiveHidden: no step tells what the report conceals, be it by coming at all.
func TestLiveHidden(t *testing.T) {
	t.Parallel()
	refused := failure.Cause{Stage: failure.StageConnect, Err: &netguard.Refused{Address: "10.0.0.7:587", Reason: "private"}}
	unknown := failure.Cause{Stage: failure.StageConnect, Err: errors.New("lookup inner.example: no such host")}
	for name, steps := range map[string]func() told{
		"an inner address": func() told { return healthy().fail(smtp.StepConnect, refused) },
		"no such name":     func() told { return healthy().fail(smtp.StepResolve, unknown) },
	} {
		r := request("en")
		r.Guarded = true
		told := 0
		r.Seen = func(doctor.Step) { told++ }
		if report := examine(t, steps(), r); !report.Hidden || told != 0 {
			t.Errorf("%s: hidden %v, %d steps were told", name, report.Hidden, told)
		}
		r.Operator = true
		if examine(t, steps(), r); told == 0 {
			t.Errorf("%s: the operator is told nothing", name)
		}
	}
}

// TestCourse: a test mail's stages become steps, each once; the failure is the last one.
func TestCourse(t *testing.T) {
	t.Parallel()
	told := 0
	c := doctor.Course{Language: "de-AT", Seen: func(doctor.Step) { told++ }}
	for _, stage := range []failure.Stage{
		failure.StageToken, failure.StageConnect, failure.StageTLS, failure.StageBanner, failure.StageEHLO, failure.StageConnect,
		failure.StageAuth, failure.StageMail, failure.StageRcpt, failure.StageRcpt, failure.StageData,
	} {
		c.Passed(stage)
	}
	c.Failed(failure.Classify(failure.Cause{Stage: failure.StageDot, Reply: failure.Reply{Code: 554, Lines: []string{"5.7.1 spam"}}}))
	var titles []string
	for i, s := range c.Steps {
		if s.Text == "" || (s.Verdict == doctor.Passed) != (i < len(c.Steps)-1) {
			t.Errorf("%+v", s)
		}
		titles = append(titles, s.Title)
	}
	want := []string{"Anmeldung beim Anbieter", "Verbindung", "Verschlüsselung", "Begrüßung", "Anmeldung", "Absender", "Empfänger", "Übergabe"}
	if diff := cmp.Diff(want, titles); diff != "" || told != len(want) {
		t.Errorf("%d told (-want +got):\n%s", told, diff)
	}
	c.Failed(failure.Classify(failure.Cause{Stage: failure.StageWorker, Err: failure.ErrSettings}))
	if len(c.Steps) != len(want) {
		t.Error("nobody was asked, and it is a step")
	}
}
