package config

import "reflect"

// Changed lists the keys whose values differ between two configurations, in the order of the
// fields. An empty list is the same as none.
func Changed(from, to *Config) []string {
	a, b := reflect.ValueOf(from).Elem(), reflect.ValueOf(to).Elem()
	return changed(a, b, "")
}

func changed(a, b reflect.Value, prefix string) []string {
	var keys []string
	for i := range a.NumField() {
		path, was, is := join(prefix, a.Type().Field(i).Tag.Get(tag)), a.Field(i), b.Field(i)
		switch {
		case was.Kind() == reflect.Struct:
			keys = append(keys, changed(was, is, path)...)
		case was.Kind() == reflect.Slice && was.Len() == 0 && is.Len() == 0:
		case !reflect.DeepEqual(was.Interface(), is.Interface()):
			keys = append(keys, path)
		}
	}
	return keys
}

// Adopt returns a copy of from, with the values that to has for those keys.
func Adopt(from, to *Config, keys []string) *Config {
	c, values := *from, map[string]any{}
	collect(reflect.ValueOf(to).Elem(), "", values)
	chosen := map[string]any{}
	for _, key := range keys {
		chosen[key] = values[key]
	}
	assign(reflect.ValueOf(&c).Elem(), "", chosen)
	return &c
}

// collect puts the values of all keys into values, by path.
func collect(v reflect.Value, prefix string, values map[string]any) {
	for i := range v.NumField() {
		f, path := v.Field(i), join(prefix, v.Type().Field(i).Tag.Get(tag))
		if f.Kind() == reflect.Struct {
			collect(f, path, values)
			continue
		}
		values[path] = f.Interface()
	}
}
