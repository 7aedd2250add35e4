package config_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// yamlBlock is a block of settings in the documentation.
var yamlBlock = regexp.MustCompile("(?ms)^```yaml\n(.*?)^```")

// Every YAML block of the documentation is a valid configuration.
func TestDocumentedSettings(t *testing.T) {
	pages, err := filepath.Glob("../../../../docs/*.md")
	if err != nil || len(pages) == 0 {
		t.Fatalf("no documentation: %v", err)
	}
	found := 0
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range yamlBlock.FindAllSubmatch(text, -1) {
			found++
			t.Run(filepath.Base(page), func(t *testing.T) {
				if _, err := load(t, string(block[1])); err != nil {
					t.Errorf("%v, of:\n%s", err, block[1])
				}
			})
		}
	}
	if found == 0 {
		t.Error("the documentation shows no settings")
	}
}
