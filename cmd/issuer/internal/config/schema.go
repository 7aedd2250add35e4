package config

import (
	"reflect"
	"time"
)

// tag is the struct tag that names a key.
const tag = "yaml"

// leaf is a key that holds a value, unlike a group of keys.
type leaf struct {
	path string
	typ  reflect.Type
}

// leaves lists the keys of the struct type t in the order of its fields.
func leaves(t reflect.Type, prefix string) []leaf {
	var list []leaf
	for i := range t.NumField() {
		f := t.Field(i)
		path := join(prefix, f.Tag.Get(tag))
		if f.Type.Kind() == reflect.Struct {
			list = append(list, leaves(f.Type, path)...)
			continue
		}
		list = append(list, leaf{path: path, typ: f.Type})
	}
	return list
}

// Paths lists the dotted path of every key.
func Paths() []string {
	var paths []string
	for _, l := range leaves(reflect.TypeFor[Config](), "") {
		paths = append(paths, l.path)
	}
	return paths
}

// field returns the field of t that a key names.
func field(t reflect.Type, key string) (reflect.StructField, bool) {
	for i := range t.NumField() {
		if f := t.Field(i); f.Tag.Get(tag) == key {
			return f, true
		}
	}
	return reflect.StructField{}, false
}

// keys lists the keys of t, for a message.
func keys(t reflect.Type) []string {
	names := make([]string, t.NumField())
	for i := range names {
		names[i] = t.Field(i).Tag.Get(tag)
	}
	return names
}

// assign sets every field of the struct v whose path has a value. A value has the type of
// its field.
func assign(v reflect.Value, prefix string, values map[string]any) {
	for i := range v.NumField() {
		f, path := v.Field(i), join(prefix, v.Type().Field(i).Tag.Get(tag))
		if f.Kind() == reflect.Struct {
			assign(f, path, values)
		} else if value, ok := values[path]; ok {
			f.Set(reflect.ValueOf(value))
		}
	}
}

func join(prefix, key string) string {
	if prefix == "" {
		return key
	}
	return prefix + "." + key
}

func isDuration(t reflect.Type) bool { return t == reflect.TypeFor[time.Duration]() }
