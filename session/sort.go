package session

import "slices"

// newestFirst sorts sessions by their beginning and cuts the list at limit.
func newestFirst(views []View, limit int) []View {
	slices.SortFunc(views, func(a, b View) int { return b.ID.Compare(a.ID) })
	return views[:min(limit, len(views))]
}

// sortByLastSeen sorts sessions by their last use, the latest first.
func sortByLastSeen(views []View) {
	slices.SortStableFunc(views, func(a, b View) int { return b.LastSeenAt.Compare(a.LastSeenAt) })
}
