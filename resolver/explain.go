package resolver

import "strings"

// An Explanation is the answer to "who would send this mail, and why?", for
// people and for JSON.
type Explanation struct {
	Level          Level     `json:"level"`
	Account        string    `json:"account"` // id
	Transport      Transport `json:"transport"`
	Authentication string    `json:"authentication"` // oauth2, password or none
	Host           string    `json:"host"`
	From           string    `json:"from"`
	FromName       string    `json:"from_name"`
	ReplyTo        []string  `json:"reply_to"`
	ReversePath    string    `json:"reverse_path"`
	Why            string    `json:"why"`
	Waits          string    `json:"waits,omitempty"`    // why its mails wait; empty: they do not
	Fallback       string    `json:"fallback,omitempty"` // who sends while it is parked; empty: its mails wait
	PassedOver     []Passed  `json:"passed_over"`
	Warnings       []string  `json:"warnings,omitempty"`
}

// Explain is a sender as an answer to people.
func (s *Sender) Explain() Explanation {
	a := s.Account
	e := Explanation{
		Level: a.Level, Account: a.ID(), Transport: a.Transport(), Authentication: a.authentication(), Host: a.Host(),
		From: s.From.Address, FromName: s.From.Name, ReversePath: s.ReversePath, Why: s.Why,
		ReplyTo: []string{}, PassedOver: append([]Passed{}, s.PassedOver...), Warnings: a.Warnings(),
	}
	for _, r := range s.ReplyTo {
		e.ReplyTo = append(e.ReplyTo, r.Address)
	}
	if r := s.Reserve; r != nil {
		e.Fallback = "while this account is parked, the platform's sends (the tenant allows it): " +
			"From " + r.Address + ", Reply-To " + strings.Join(e.ReplyTo, ", ")
	}
	return e
}

func (a *Account) authentication() string {
	switch {
	case a.OAuth2.InUse():
		return "oauth2"
	case a.SMTP.Authentication:
		return "password"
	}
	return "none"
}
