package words

// A Kind names an enumeration.
type Kind string

// The kinds, with the Go type that has the values.
const (
	Category       Kind = "category"       // failure.Categories, and what the error log adds
	Stage          Kind = "stage"          // failure.Stage
	Class          Kind = "class"          // failure.Class
	Scope          Kind = "scope"          // failure.Scope
	State          Kind = "state"          // rohrpost.State, of a mail
	Recipient      Kind = "recipient"      // rohrpost.RecipientState
	Queue          Kind = "queue"          // rohrpost.Priority
	Origin         Kind = "origin"         // rohrpost.Origin
	Purpose        Kind = "purpose"        // rohrpost.Category, of a mail
	OnUncertain    Kind = "on_uncertain"   // rohrpost.OnUncertain
	Account        Kind = "account"        // resolver.State, and what a list of accounts adds
	Breaker        Kind = "breaker"        // breaker.Kind
	Wait           Kind = "wait"           // dispatch.Reason
	Level          Kind = "level"          // resolver.Level
	Owner          Kind = "owner"          // resolver.Level as the possessor: "the tenant's"
	Transport      Kind = "transport"      // resolver.Transport
	Encryption     Kind = "encryption"     // resolver.Encryption
	Authentication Kind = "authentication" // of resolver.Explanation
	Fallback       Kind = "fallback"       // resolver.Fallback
	Sender         Kind = "sender"         // resolver.FromRule: what a provider does with a foreign sender
	Role           Kind = "role"           // configs.Role…, redisstore.Role
	Change         Kind = "change"         // redisstore.Change.Action
	Step           Kind = "step"           // redisstore.step: what somebody may not do
	Action         Kind = "action"         // audit.Action
	Source         Kind = "source"         // audit.Source
	Outcome        Kind = "outcome"        // audit.Outcome
	Verdict        Kind = "verdict"        // doctor.Verdict
	Task           Kind = "task"           // queue.State
	Secret         Kind = "secret"         // the keys of resolver.Settings.Secrets, as sentences name them
	Ground         Kind = "ground"         // on which a color of the branding stands
)

// Of is the label of a value, short and in lower case where the language wants it. A
// value that is not known stays as it is, as what a newer version has stored.
func Of(lang string, kind Kind, value string) string {
	if p, ok := labels(kind)[value]; ok {
		return p.in(lang)
	}
	return value
}

// Known reports whether there is such a kind.
func Known(kind Kind) bool { return labels(kind) != nil }

func labels(kind Kind) map[string]pair {
	if l := failureLabels[kind]; l != nil {
		return l
	}
	if l := mailLabels[kind]; l != nil {
		return l
	}
	return accountLabels[kind]
}
