package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// decoder reads YAML nodes into values of the schema's types. It keeps going after
// a fault, so that the user sees all of them at once.
type decoder struct {
	report *report
	name   string         // the file or variable
	env    bool           // lines mean nothing in a variable
	values map[string]any // path to value
}

// decodeFile reads a whole file. Every key of it that is well formed is in the result.
func decodeFile(r *report, name string, text []byte) map[string]any {
	d := &decoder{report: r, name: name, values: map[string]any{}}
	if root := d.parse("", text); root != nil {
		d.mapping(root, reflect.TypeFor[Config](), "")
	}
	return d.values
}

// parse reads the one document of text, which is the value of key; nil when there is
// none, or it is not YAML.
func (d *decoder) parse(key string, text []byte) *yaml.Node {
	var doc, more yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(text))
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		d.syntax(key, err)
		return nil
	}
	if err := dec.Decode(&more); !errors.Is(err, io.EOF) {
		d.report.add(d.place(&more), key, "holds more than one YAML document")
		return nil
	}
	root := doc.Content[0]
	if root.Tag == "!!null" {
		return nil
	}
	return root
}

// syntax notes that the text is not YAML. The parser's message holds a line and no
// part of the text.
func (d *decoder) syntax(key string, err error) {
	msg := strings.TrimPrefix(err.Error(), "yaml: ")
	p := place{name: d.name}
	var line int
	if n, _ := fmt.Sscanf(msg, "line %d:", &line); n == 1 {
		_, msg, _ = strings.Cut(msg, ": ")
		if !d.env {
			p.line = line
		}
	}
	d.report.add(p, key, "not YAML: %s", msg)
}

func (d *decoder) place(n *yaml.Node) place {
	if d.env {
		return place{name: d.name}
	}
	return place{name: d.name, line: n.Line}
}

func (d *decoder) fault(n *yaml.Node, key, format string, args ...any) {
	d.report.add(d.place(n), key, format, args...)
}

// mapping reads a group of keys.
func (d *decoder) mapping(n *yaml.Node, t reflect.Type, prefix string) {
	d.pairs(n, t, prefix, func(key string, f reflect.StructField, value *yaml.Node) {
		if f.Type.Kind() == reflect.Struct {
			if value.Tag != "!!null" {
				d.mapping(value, f.Type, key)
			}
			return
		}
		if v, ok := d.value(value, f.Type, key); ok {
			d.values[key] = v
		}
	})
}

// pairs calls visit for each known key of a mapping, once.
func (d *decoder) pairs(n *yaml.Node, t reflect.Type, prefix string, visit func(string, reflect.StructField, *yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		d.fault(n, prefix, "must be a group of keys: %s", strings.Join(keys(t), ", "))
		return
	}
	first := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, value := n.Content[i], n.Content[i+1]
		key := join(prefix, shown(name.Value))
		f, known := field(t, name.Value)
		switch line, seen := first[name.Value]; {
		case name.Kind != yaml.ScalarNode || !known:
			d.fault(name, key, "unknown key; known here: %s", strings.Join(keys(t), ", "))
		case seen && d.env:
			d.fault(name, key, "given twice")
		case seen:
			d.fault(name, key, "given twice, first on line %d", line)
		default:
			first[name.Value] = name.Line
			d.report.at(key, d.place(name))
			visit(key, f, value)
		}
	}
}

// shown is the name of a key as a message may hold it: on one line and not too long.
func shown(name string) string {
	const most = 64
	if len(name) > most {
		name = name[:most] + "…"
	}
	quoted := strconv.QuoteToGraphic(name)
	if quoted[1:len(quoted)-1] == name {
		return name
	}
	return quoted
}

// value reads one value of type t.
func (d *decoder) value(n *yaml.Node, t reflect.Type, key string) (any, bool) {
	switch {
	case t.Kind() == reflect.Slice:
		return d.list(n, t, key)
	case isDuration(t):
		return d.duration(n, key)
	}
	want, kind := "text", "!!str"
	switch t.Kind() {
	case reflect.Bool:
		want, kind = "true or false", "!!bool"
	case reflect.Int:
		want, kind = "a whole number", "!!int"
	default:
	}
	v := reflect.New(t)
	if n.Kind != yaml.ScalarNode || n.Tag != kind || n.Decode(v.Interface()) != nil {
		d.fault(n, key, "must be %s%s", want, have(n))
		return nil, false
	}
	return v.Elem().Interface(), true
}

func (d *decoder) duration(n *yaml.Node, key string) (any, bool) {
	if n.Kind == yaml.ScalarNode && (n.Tag == "!!str" || n.Tag == "!!int") {
		if v, err := time.ParseDuration(n.Value); err == nil {
			return v, true
		}
	}
	d.fault(n, key, "must be a duration such as 30s, 5m or 720h%s", have(n))
	return nil, false
}

// list reads a sequence of text or of service keys. An absent value is an empty list.
func (d *decoder) list(n *yaml.Node, t reflect.Type, key string) (any, bool) {
	list := reflect.MakeSlice(t, 0, len(n.Content))
	if n.Tag == "!!null" {
		return list.Interface(), true
	}
	if n.Kind != yaml.SequenceNode {
		d.fault(n, key, "must be a list, [a, b]%s", have(n))
		return nil, false
	}
	whole := true
	for i, item := range n.Content {
		itemKey := fmt.Sprintf("%s[%d]", key, i)
		d.report.at(itemKey, d.place(item))
		v, ok := d.item(item, t.Elem(), itemKey)
		if whole = whole && ok; ok {
			list = reflect.Append(list, reflect.ValueOf(v))
		}
	}
	return list.Interface(), whole
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

// have says of what kind a refused node is, never what it holds.
func have(n *yaml.Node) string {
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
