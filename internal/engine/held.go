package engine

// Held is embedded by what holds an engine for an application: it hides the engine
// from applications, and Of gives it to the packages of this module.
type Held struct{ engine *Engine }

// Hold wraps an engine.
func Hold(e *Engine) Held { return Held{e} }

func (h Held) held() *Engine { return h.engine }

// Of is the engine of something that embeds Held.
func Of(h interface{ held() *Engine }) *Engine { return h.held() }
