package failure

// A Detail is what is kept of a failure beside what it happened to. Structs that are
// written as JSON embed it. It has everything that the hint and the next decision
// need, and no pause: that one was for the mail that brought the failure.
type Detail struct {
	Stage      Stage  `json:"stage"`
	Class      Class  `json:"class"`
	Category   string `json:"category"`
	Rule       int    `json:"rule"` // picks the hint
	Code       int    `json:"code,omitempty"`
	Enhanced   string `json:"enhanced,omitempty"`
	Diagnostic string `json:"diagnostic,omitempty"`
}

// Detail is what is kept of the failure.
func (f *Failure) Detail() Detail {
	return Detail{
		Stage: f.Stage, Class: f.Class, Category: f.Category, Rule: f.Rule,
		Code: f.Code, Enhanced: f.Enhanced, Diagnostic: f.Diagnostic,
	}
}

// Failure is the failure of which the detail was kept, for the log of a mail that
// waits because of it. It wraps no error.
func (d *Detail) Failure() *Failure {
	return &Failure{
		Stage: d.Stage, Class: d.Class, Category: d.Category, Rule: d.Rule,
		Code: d.Code, Enhanced: d.Enhanced, Diagnostic: d.Diagnostic,
	}
}
