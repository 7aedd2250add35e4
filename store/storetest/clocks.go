package storetest

import "time"

// clocks are the offsets of the clocks of 1, 2 and 4 issuers that share a store. Tests let
// every issuer act before and after every other one.
func clocks() map[string][]time.Duration {
	return map[string][]time.Duration{
		"1":         {0},
		"2Seconds":  {0, 2 * time.Second},
		"2Minutes":  {0, 5 * time.Minute},
		"4Together": {0, 0, 0, 0},
		"4Apart":    {0, 2 * time.Second, -5 * time.Minute, 9 * time.Minute},
	}
}

// pairs returns all pairs of issuers, in both orders, each with itself as well.
func pairs(issuers int) (all [][2]int) {
	for a := range issuers {
		for b := range issuers {
			all = append(all, [2]int{a, b})
		}
	}
	return all
}
