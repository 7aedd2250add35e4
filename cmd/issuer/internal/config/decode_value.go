package config

import (
	"fmt"
	"reflect"
	"time"

	"go.yaml.in/yaml/v3"
)

// value reads one value of type t, and reports whether it is well formed.
func (d *decoder) value(n *yaml.Node, t reflect.Type, key string) (any, bool) {
	switch {
	case t.Kind() == reflect.Slice:
		return d.list(n, t, key)
	case isDuration(t):
		return d.duration(n, key)
	}
	want, kind := scalar(t)
	v := reflect.New(t)
	if n.Kind != yaml.ScalarNode || n.Tag != kind || n.Decode(v.Interface()) != nil {
		d.fault(n, key, "must be %s%s", want, actual(n))
		return nil, false
	}
	return v.Elem().Interface(), true
}

// scalar returns what a value of type t is called in a message, and its YAML tag.
func scalar(t reflect.Type) (name, tag string) {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false", "!!bool"
	case reflect.Int:
		return "a whole number", "!!int"
	default:
		return "text", "!!str"
	}
}

func (d *decoder) duration(n *yaml.Node, key string) (any, bool) {
	if n.Kind == yaml.ScalarNode && (n.Tag == "!!str" || n.Tag == "!!int") {
		if v, err := time.ParseDuration(n.Value); err == nil {
			return v, true
		}
	}
	d.fault(n, key, "must be a duration such as 30s, 5m or 720h%s", actual(n))
	return nil, false
}

// list reads a sequence of texts or service keys. A missing value is an empty list.
func (d *decoder) list(n *yaml.Node, t reflect.Type, key string) (any, bool) {
	list := reflect.MakeSlice(t, 0, len(n.Content))
	if n.Tag == "!!null" {
		return list.Interface(), true
	}
	if n.Kind != yaml.SequenceNode {
		d.fault(n, key, "must be a list, [a, b]%s", actual(n))
		return nil, false
	}
	ok := true
	for i, item := range n.Content {
		itemKey := fmt.Sprintf("%s[%d]", key, i)
		d.report.setAt(itemKey, d.place(item))
		v, itemOK := d.item(item, t.Elem(), itemKey)
		if itemOK {
			list = reflect.Append(list, reflect.ValueOf(v))
		}
		ok = ok && itemOK
	}
	return list.Interface(), ok
}

func (d *decoder) item(n *yaml.Node, t reflect.Type, key string) (any, bool) {
	if t.Kind() != reflect.Struct {
		return d.value(n, t, key)
	}
	faults := len(d.report.faults)
	v := reflect.New(t).Elem()
	d.pairs(n, t, key, func(path string, f reflect.StructField, value *yaml.Node) {
		if got, ok := d.value(value, f.Type, path); ok {
			v.FieldByIndex(f.Index).Set(reflect.ValueOf(got))
		}
	})
	return v.Interface(), len(d.report.faults) == faults
}

// actual describes the kind of a refused node, never its content, which may be a secret.
func actual(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return ", not a group"
	case yaml.SequenceNode:
		return ", not a list"
	case yaml.AliasNode:
		return "; YAML aliases are not read"
	default:
	}
	switch n.Tag {
	case "!!null":
		return ", and has no value"
	case "!!int", "!!float":
		return ", not a bare number"
	case "!!bool":
		return ", not true or false"
	default:
		return ""
	}
}
