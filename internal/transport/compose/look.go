package compose

import (
	"github.com/rohrpost/rohrpost/internal/branding"
	"github.com/rohrpost/rohrpost/resolver"
)

// Look is a tenant's branding as mails wear it; nil for nil.
func Look(b *resolver.Branding) *branding.Look {
	if b == nil {
		return nil
	}
	return &branding.Look{
		Enabled: b.Enabled, Company: b.Company, Logo: branding.Logo{Content: b.Logo, Alt: b.LogoAlt, Width: b.LogoWidth},
		Colors: branding.Colors(b.Colors), Footer: branding.Footer(b.Footer),
	}
}
