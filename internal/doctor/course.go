package doctor

import (
	"slices"

	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/transport/smtp"
	"github.com/rohrpost/rohrpost/internal/words"
)

// The steps that a test mail has beside those of an examination.
const (
	StepToken smtp.StepName = "token" // of an account with OAuth2
	StepSent  smtp.StepName = "sent"
)

// A Course is how far a test mail has come, in the words of a report. The zero value has
// none of it behind it.
type Course struct {
	Language string     // de, de-AT …; everything else is English
	Seen     func(Step) // called with each step as soon as it is done; nil: nobody looks
	Steps    []Step
}

// Passed notes that a stage has gone well. What is repeated on another connection is told
// once.
func (c *Course) Passed(stage failure.Stage) {
	lang := languageOf(c.Language)
	name, ok := stepOf(stage)
	if !ok || stage == failure.StageEHLO || stage == failure.StageData || c.has(name) {
		return
	}
	c.add(Step{Name: name, Title: lang.say(string(name) + " title"), Verdict: Passed, Text: lang.say("mail " + string(name))})
}

// Failed notes the failure that has ended it. A stage at which no server was asked is no
// step.
func (c *Course) Failed(f *failure.Failure) {
	lang := languageOf(c.Language)
	name, ok := stepOf(f.Stage)
	if !ok {
		return
	}
	c.add(Step{
		Name: name, Title: lang.say(string(name) + " title"), Verdict: Failed, Text: words.Of(string(lang), words.Category, f.Category) + ".",
		Category: f.Category, Class: f.Class, Code: f.Code, Enhanced: f.Enhanced,
	})
}

func (c *Course) has(name smtp.StepName) bool {
	return slices.ContainsFunc(c.Steps, func(s Step) bool { return s.Name == name })
}

func (c *Course) add(s Step) {
	c.Steps = append(c.Steps, s)
	if c.Seen != nil {
		c.Seen(s)
	}
}

// stepOf is the step that a stage of the transport belongs to.
func stepOf(stage failure.Stage) (smtp.StepName, bool) {
	switch stage {
	case failure.StageToken:
		return StepToken, true
	case failure.StageConnect:
		return smtp.StepConnect, true
	case failure.StageTLS, failure.StageSTARTTLS:
		return smtp.StepEncryption, true
	case failure.StageBanner:
		return smtp.StepBanner, true
	case failure.StageEHLO:
		return smtp.StepEHLO, true
	case failure.StageAuth:
		return smtp.StepLogin, true
	case failure.StageMail:
		return smtp.StepSender, true
	case failure.StageRcpt:
		return smtp.StepRecipient, true
	case failure.StageData, failure.StageDot, failure.StageAPI:
		return StepSent, true
	case failure.StageWorker:
	}
	return "", false
}
