package postgres

// statements are the texts of all statements that read or write tables of the store, by their names: a test explains
// each of them on filled tables. A new one is added here.
func statements() map[string]string {
	return map[string]string{
		"selectSessions":    selectSessions,
		"updateSession":     updateSession,
		"insertFacts":       insertFacts,
		"lockHead":          lockHead,
		"numberFacts":       numberFacts,
		"numberFactsNotify": numberFactsNotify,
		"readHead":          readHead,
		"readFacts":         readFacts,
		"readRevocations":   readRevocations,
		"beforeRecord":      beforeRecord,
		"hasRecord":         hasRecord,
		"trimRevocations":   trimRevocations,
		"trimFacts":         trimFacts,
		"loadKeys":          loadKeys,
		"firstKeys":         firstKeys,
		"changeKeys":        changeKeys,
	}
}
