package citizencloud_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"strings"
	"testing"
)

const module = "github.com/citizencloud/citizencloud"

// sourceFile is one Go file of this module.
type sourceFile struct {
	path      string // from the root, with slashes
	folder    string
	test      bool
	generated bool
	lines     int
	doc       bool // has a package comment
	name      string
	imports   []string // of this module only, from its root; the others as they are
}

// sources reads all Go files of the module, without building anything.
func sources(t *testing.T) []sourceFile {
	t.Helper()
	var found []sourceFile
	root := os.DirFS(".")
	err := fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := path.Base(name)
		if entry.IsDir() {
			if name != "." && (strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") || base == "node_modules" || base == "testdata" || base == "bin") {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(base, ".go") {
			return nil
		}
		content, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, content, parser.ImportsOnly|parser.ParseComments)
		if err != nil {
			return err
		}
		found = append(found, describe(name, content, file))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) < 20 {
		t.Fatalf("found %d Go files: the walk is broken", len(found))
	}
	return found
}

func describe(name string, content []byte, file *ast.File) sourceFile {
	source := sourceFile{
		path: name, folder: path.Dir(name), name: file.Name.Name,
		test:      strings.HasSuffix(name, "_test.go"),
		generated: ast.IsGenerated(file),
		lines:     bytes.Count(content, []byte("\n")),
		doc:       file.Doc != nil && strings.TrimSpace(file.Doc.Text()) != "",
	}
	for _, spec := range file.Imports {
		imported := strings.Trim(spec.Path.Value, `"`)
		source.imports = append(source.imports, strings.TrimPrefix(imported, module+"/"))
	}
	return source
}

// TestEveryPackageHasOneComment keeps the map: what a package does and where to
// start reading stands in exactly one place.
func TestEveryPackageHasOneComment(t *testing.T) {
	comments := map[string][]string{}
	for _, file := range sources(t) {
		if file.test || file.generated || file.name == "keep" {
			continue
		}
		if _, known := comments[file.folder]; !known {
			comments[file.folder] = nil
		}
		if file.doc {
			comments[file.folder] = append(comments[file.folder], file.path)
		}
	}
	for folder, files := range comments {
		if len(files) != 1 {
			t.Errorf("package %s has %d package comments %v; it needs exactly one, which says what the package does and where to start reading", folder, len(files), files)
		}
	}
}

// TestFilesStayReadable: who opens a file shall be able to hold it in mind.
func TestFilesStayReadable(t *testing.T) {
	const most = 400
	for _, file := range sources(t) {
		if !file.generated && file.lines > most {
			t.Errorf("%s has %d lines; at most %d: split it by what it holds", file.path, file.lines, most)
		}
	}
}
