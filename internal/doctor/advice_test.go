package doctor

import (
	"regexp"
	"strings"
	"testing"

	"github.com/rohrpost/rohrpost/internal/transport/smtp"
)

func TestAdviceLoads(t *testing.T) {
	t.Parallel()
	rows, err := load(adviceYAML)
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) < 10 {
		t.Errorf("%d rows", len(rows))
	}
}

func TestAdviceIsStrict(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]string{
		"step":            "{step: dance, en: a, de: b}",
		"condition":       "{step: login, when: [full_moon], en: a, de: b}",
		"category":        "{step: login, failed: true, categories: [bad_luck], en: a, de: b}",
		"field":           "{step: login, hosts: a, en: a, de: b}",
		"pattern":         "{step: login, host: '(', en: a, de: b}",
		"German":          "{step: login, en: a}",
		"English":         "{step: login, de: a}",
		"instead of what": "{step: login, instead: true, en: a, de: b}",
		"note of failure": "{step: login, failed: true, note: true, en: a, de: b}",
	} {
		if _, err := load([]byte("- " + row)); err == nil {
			t.Errorf("%s: %s is accepted", name, row)
		}
	}
}

// TestTexts: every step has its texts, in both languages with the same values.
func TestTexts(t *testing.T) {
	t.Parallel()
	for _, step := range []smtp.StepName{
		smtp.StepSettings, smtp.StepResolve, smtp.StepConnect, smtp.StepBanner, smtp.StepEHLO, smtp.StepEncryption,
		smtp.StepCertificate, smtp.StepMethods, smtp.StepLogin, smtp.StepSender, smtp.StepRecipient,
	} {
		for _, what := range []string{"title", "passed", "failed"} {
			if _, ok := texts[string(step)+" "+what]; !ok {
				t.Errorf("%s %s is missing", step, what)
			}
		}
	}
	for _, step := range []smtp.StepName{
		StepToken, smtp.StepConnect, smtp.StepBanner, smtp.StepEncryption, smtp.StepLogin, smtp.StepSender, smtp.StepRecipient, StepSent,
	} {
		for _, key := range []string{string(step) + " title", "mail " + string(step)} {
			if _, ok := texts[key]; !ok {
				t.Errorf("%s is missing", key)
			}
		}
	}
	value := regexp.MustCompile(`\{\w+\}`)
	for key, text := range texts {
		en, de := value.FindAllString(text.en, -1), value.FindAllString(text.de, -1)
		if text.en == "" || text.de == "" || strings.Join(en, "") != strings.Join(de, "") {
			t.Errorf("%s: %q and %q", key, text.en, text.de)
		}
	}
}
