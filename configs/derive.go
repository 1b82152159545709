package configs

// derive fits the defaults that nobody has set to the settings they depend on: one
// that is changed alone works.
func (l *loader) derive() {
	r, limits := &l.config.Retry, &l.config.Limits
	fit(l, "retry.first", &r.First, 0, max(r.GiveUp, 0))
	fit(l, "retry.max", &r.Max, r.First, r.Max)
	fit(l, "retry.greylist_min", &r.GreylistMin, 0, max(r.GiveUp, 0))
	fit(l, "retry.uncertain_pause", &r.UncertainPause, 0, max(r.GiveUp, 0))
	fit(l, "ledger.keep", &l.config.Ledger.Keep, r.GiveUp, l.config.Ledger.Keep)
	fit(l, "limits.waiting_bytes_per_tenant", &limits.WaitingBytesPerTenant, limits.MaxMessageSize, limits.WaitingBytesPerTenant)
	fit(l, "limits.failed_bytes_per_tenant", &limits.FailedBytesPerTenant, limits.MaxMessageSize, limits.FailedBytesPerTenant)
	if _, set := l.origins["web.base_path"]; !set {
		l.config.Web.BasePath = pathOf(l.config.Web.PublicURL)
	}
}

// fit brings a setting between two bounds, unless somebody has set it.
func fit[T ~int64](l *loader, key string, value *T, low, high T) {
	if _, set := l.origins[key]; !set {
		*value = max(low, min(*value, high))
	}
}
