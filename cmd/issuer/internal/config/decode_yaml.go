package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// decoder reads YAML nodes into values of the types of [Config]. It continues after a fault,
// so that the user sees all faults at once.
type decoder struct {
	report *report
	name   string         // the file or variable
	env    bool           // name is a variable, so line numbers are left out
	values map[string]any // by path
}

// decodeFile reads a whole file and returns its well-formed values by path.
func decodeFile(r *report, name string, text []byte) map[string]any {
	d := &decoder{report: r, name: name, values: map[string]any{}}
	if root := d.parse("", text); root != nil {
		d.mapping(root, reflect.TypeFor[Config](), "")
	}
	return d.values
}

// parse returns the root of the only document in text, which is the value of key. It returns
// nil when the text is empty or has a fault.
func (d *decoder) parse(key string, text []byte) *yaml.Node {
	var doc, more yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(text))
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		d.syntaxFault(key, err)
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

// syntaxFault reports that the text is not YAML. The parser's message holds a line number and
// no part of the text.
func (d *decoder) syntaxFault(key string, err error) {
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

// pairs calls visit once for each known key of a mapping.
func (d *decoder) pairs(n *yaml.Node, t reflect.Type, prefix string, visit func(string, reflect.StructField, *yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		d.fault(n, prefix, "must be a group of keys: %s", strings.Join(keys(t), ", "))
		return
	}
	first := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, value := n.Content[i], n.Content[i+1]
		key := join(prefix, printableKey(name.Value))
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
			d.report.setAt(key, d.place(name))
			visit(key, f, value)
		}
	}
}

// printableKey returns an unknown key in a form for messages: on one line and not too long.
func printableKey(name string) string {
	const limit = 64
	if len(name) > limit {
		name = name[:limit] + "…"
	}
	quoted := strconv.QuoteToGraphic(name)
	if quoted[1:len(quoted)-1] == name {
		return name
	}
	return quoted
}
