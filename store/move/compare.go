package move

import (
	"errors"
	"fmt"
	"iter"
	"reflect"
	"strings"

	"issuer.example/sid"
	"issuer.example/store"
)

// ErrDiffers means that the copy does not hold what the source does.
var ErrDiffers = errors.New("the copy is not the same as the source")

// compare compares two archives item by item.
func compare(source, target iter.Seq2[store.Item, error]) error {
	next, stop := iter.Pull2(target)
	defer stop()
	var c comparison
	for want, err := range source {
		if err != nil {
			return fmt.Errorf("reading the source: %w", err)
		}
		got, err, more := next()
		switch {
		case err != nil:
			return fmt.Errorf("reading the copy: %w", err)
		case !more:
			return fmt.Errorf("%w: it ends before %s", ErrDiffers, name(want))
		}
		if err := c.item(want, got); err != nil {
			return err
		}
	}
	if got, err, more := next(); more {
		return errors.Join(fmt.Errorf("%w: it has also %s", ErrDiffers, name(got)), err)
	}
	return nil
}

// comparison is how far two archives have been compared.
type comparison struct {
	newest sid.ID // what the copy says is its newest identifier
}

func (c *comparison) item(want, got store.Item) error {
	switch {
	case want.Totals != nil && got.Totals != nil:
		c.newest = got.Totals.Newest
		return sameTotals(*want.Totals, *got.Totals)
	case got.Session != nil && got.Session.Session.ID.Compare(c.newest) > 0,
		got.Mark != nil && got.Mark.SID.Compare(c.newest) > 0:
		return fmt.Errorf("%w: %s is newer than its newest identifier", ErrDiffers, name(got))
	case reflect.DeepEqual(want, got): // most often
		return nil
	}
	if name(want) != name(got) {
		return fmt.Errorf("%w: it has %s instead of %s", ErrDiffers, name(got), name(want))
	}
	if field, differ := difference(reflect.ValueOf(want), reflect.ValueOf(got)); differ {
		return fmt.Errorf("%w: %s differs in %s", ErrDiffers, name(want), field)
	}
	return nil
}

// sameTotals compares totals. A store that does not keep the newest of all identifiers can have a
// lower one, and one that knows of later times can have a later one.
func sameTotals(want, got store.Totals) error {
	if got.Newest.Compare(want.Newest) < 0 {
		want.Newest = got.Newest
	}
	if got.Latest.After(want.Latest) {
		want.Latest = got.Latest
	}
	want.Unreadable, got.Unreadable = 0, 0
	if field, differ := difference(reflect.ValueOf(want), reflect.ValueOf(got)); differ {
		return fmt.Errorf("%w: the totals differ in %s: %+v instead of %+v", ErrDiffers, field, got, want)
	}
	return nil
}

// name says which item it is, without what is in it.
func name(i store.Item) string {
	switch {
	case i.Totals != nil:
		return "the totals"
	case i.Keys != nil:
		return "the set of keys"
	case i.Mark != nil:
		return fmt.Sprintf("the mark over %s %q", i.Mark.Scope.Kind, i.Mark.Scope.Name)
	case i.Fact != nil:
		return fmt.Sprintf("fact %d", i.Fact.Number)
	case i.Session != nil:
		return "session " + i.Session.Session.ID.String()
	}
	return "nothing"
}

// difference returns the names of the first field in which two values of one type differ; differ is
// false if there is none. A list that is empty is the same as none.
func difference(want, got reflect.Value) (path string, differ bool) {
	switch want.Kind() { //nolint:exhaustive // the others are compared as a whole
	case reflect.Pointer:
		if !want.IsNil() && !got.IsNil() {
			return difference(want.Elem(), got.Elem())
		}
	case reflect.Slice:
		if want.Len() == 0 && got.Len() == 0 {
			return "", false
		}
	case reflect.Struct:
		if want.Type().Field(0).IsExported() { // others, such as a time, are opaque
			return fieldDifference(want, got)
		}
	}
	return "", !reflect.DeepEqual(want.Interface(), got.Interface())
}

func fieldDifference(want, got reflect.Value) (path string, differ bool) {
	for i := range want.NumField() {
		if below, differ := difference(want.Field(i), got.Field(i)); differ {
			return strings.TrimSuffix(want.Type().Field(i).Name+"."+below, "."), true
		}
	}
	return "", false
}
