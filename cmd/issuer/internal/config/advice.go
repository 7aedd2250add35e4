package config

// Advice returns what an operator should know about a valid configuration.
func (c *Config) Advice() []string { return c.proxyAdvice() }
