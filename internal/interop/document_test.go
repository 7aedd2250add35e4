package interop_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Every snippet of docs/verifying.md below a link to one of the programs is a part of that
// program, except for what a line of … stands for. So every snippet is tested.
func TestSnippetsAreFromThePrograms(t *testing.T) {
	const document = "../../docs/verifying.md"
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	programs := map[string]bool{}
	link := regexp.MustCompile(`\]\((\.\./internal/interop/[^)]*\.\w+)\)`)
	path, block := "", ""
	for _, line := range append(strings.Split(string(text), "\n"), "end") {
		if strings.HasPrefix(line, "    ") || (line == "" && block != "") {
			block += line + "\n"
			continue
		}
		if block != "" && path != "" {
			program, err := os.ReadFile(filepath.Join(filepath.Dir(document), path))
			if err != nil {
				t.Fatal(err)
			}
			for part := range strings.SplitSeq(block, "    …\n") {
				if !strings.Contains(flush(string(program)), flush(part)) {
					t.Errorf("this is not in %s:\n%s", path, part)
				}
			}
			programs[path] = true
		}
		if block != "" {
			path, block = "", ""
		}
		if found := link.FindStringSubmatch(line); found != nil {
			path = found[1]
		}
	}
	if len(programs) < 5 {
		t.Errorf("only %d programs are shown", len(programs))
	}
}

// flush returns a text without the indentation of its lines and without empty lines.
func flush(text string) string {
	var lines strings.Builder
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			lines.WriteString(line + "\n")
		}
	}
	return lines.String()
}
