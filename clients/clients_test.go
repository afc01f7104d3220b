package clients

import (
	"encoding/json"
	"io/fs"
	"testing"
)

func TestEveryClientHasAManifest(t *testing.T) {
	for _, name := range Names() {
		body, err := Manifest(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var manifest struct{ Format string }
		if err := json.Unmarshal(body, &manifest); err != nil || manifest.Format != "apollo-persisted-query-manifest" {
			t.Errorf("%s: format %q, error %v", name, manifest.Format, err)
		}
	}
	if _, err := Manifest("stranger"); err == nil {
		t.Error("an unknown client has a manifest")
	}
}

func TestWebClientsAlwaysHaveAPage(t *testing.T) {
	for name, files := range map[string]func() (fs.FS, bool){"screen": Screen, "explorer": Explorer} {
		all, _ := files()
		if page, err := fs.ReadFile(all, "index.html"); err != nil || len(page) == 0 {
			t.Errorf("%s: no index.html: %v", name, err)
		}
	}
}
