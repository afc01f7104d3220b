package persisted

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
)

const (
	home     = "query Home { me { id } }"
	board    = "query Board { areas { id } }"
	supplies = "query Supplies { supplies { id } }"
)

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func manifest(operations ...string) []byte {
	var entries []string
	for _, text := range operations {
		name := strings.Fields(text)[1]
		entries = append(entries, fmt.Sprintf(`{"id":%q,"name":%q,"type":"query","body":%q}`, hash(text), name, text))
	}
	return []byte(`{"format":"apollo-persisted-query-manifest","version":1,"operations":[` + strings.Join(entries, ",") + `]}`)
}

func policy(t *testing.T, mode Mode) *Policy {
	t.Helper()
	if mode == Open {
		return &Policy{}
	}
	manifests, err := Load(map[string][]byte{"app": manifest(home), "screen": manifest(board), "partner": manifest(supplies)})
	if err != nil {
		t.Fatal(err)
	}
	return &Policy{Mode: mode, Store: manifests, PersistedOnly: map[string]bool{"partner": true}, Automatic: NewAutomatic(0)}
}

// The matrix of mode, client and form: "" means that it runs, else the code.
func TestResolve(t *testing.T) {
	free := "{ free }"
	forms := map[string]func(client, own string) Request{
		"text":             func(c, _ string) Request { return Request{Client: c, Query: free} },
		"own text":         func(c, own string) Request { return Request{Client: c, Query: own} },
		"own hash":         func(c, own string) Request { return Request{Client: c, Hash: hash(own)} },
		"own documentId":   func(c, own string) Request { return Request{Client: c, DocumentID: hash(own)} },
		"own sha256: ID":   func(c, own string) Request { return Request{Client: c, DocumentID: "sha256:" + hash(own)} },
		"own hash+text":    func(c, own string) Request { return Request{Client: c, Hash: hash(own), Query: own} },
		"own hash, other":  func(c, own string) Request { return Request{Client: c, Hash: hash(own), Query: free} },
		"other's hash":     func(c, _ string) Request { return Request{Client: c, Hash: hash(board)} },
		"other's ID":       func(c, _ string) Request { return Request{Client: c, DocumentID: hash(board)} },
		"new hash":         func(c, _ string) Request { return Request{Client: c, Hash: hash("{ new }")} },
		"new hash+text":    func(c, _ string) Request { return Request{Client: c, Hash: hash(free), Query: free} },
		"wrong hash+text":  func(c, _ string) Request { return Request{Client: c, Hash: hash("x"), Query: free} },
		"nothing":          func(c, _ string) Request { return Request{Client: c} },
		"text+documentId":  func(c, own string) Request { return Request{Client: c, Query: own, DocumentID: hash(own)} },
		"own, wrong name":  func(c, own string) Request { return Request{Client: c, Hash: hash(own), OperationName: "Other"} },
		"ID and hash part": func(c, own string) Request { return Request{Client: c, Hash: hash("x"), DocumentID: hash(own)} },
	}
	own := map[string]string{"app": home, "partner": supplies, "": home, "stranger": home}
	always := map[string]string{"text+documentId": CodeBadRequest, "ID and hash part": CodeBadRequest, "nothing": CodeBadRequest}
	locked := map[string]string{ // own manifest only
		"text": CodeNotAllowed, "own text": CodeNotAllowed, "own hash": "", "own documentId": "", "own sha256: ID": "",
		"own hash+text": "", "own hash, other": CodeHashMismatch, "other's hash": CodeNotFound, "other's ID": CodeUnknown,
		"new hash": CodeNotFound, "new hash+text": CodeNotAllowed, "wrong hash+text": CodeNotAllowed, "own, wrong name": CodeBadRequest,
	}
	anonymous := map[string]string{ // development, no client said
		"text": "", "own text": "", "own hash": CodeNotFound, "own documentId": CodeUnknown, "own sha256: ID": CodeUnknown,
		"own hash+text": "", "own hash, other": CodeHashMismatch, "other's hash": CodeNotFound, "other's ID": CodeUnknown,
		"new hash": CodeNotFound, "new hash+text": "", "wrong hash+text": CodeHashMismatch, "own, wrong name": CodeNotFound,
	}
	developing := map[string]string{
		"text": "", "own text": "", "own hash": "", "own documentId": "", "own sha256: ID": "",
		"own hash+text": "", "own hash, other": CodeHashMismatch, "other's hash": CodeNotFound, "other's ID": CodeUnknown,
		"new hash": CodeNotFound, "new hash+text": "", "wrong hash+text": CodeHashMismatch, "own, wrong name": CodeBadRequest,
	}
	open := map[string]string{ // no store, no learning
		"text": "", "own text": "", "own hash": CodeNotSupported, "own documentId": CodeUnknown, "own sha256: ID": CodeUnknown,
		"own hash+text": "", "own hash, other": CodeHashMismatch, "other's hash": CodeNotSupported, "other's ID": CodeUnknown,
		"new hash": CodeNotSupported, "new hash+text": "", "wrong hash+text": CodeHashMismatch, "own, wrong name": CodeNotSupported,
	}
	for _, row := range []struct {
		mode   Mode
		client string
		want   map[string]string // nil: CLIENT_UNKNOWN for all
	}{
		{Production, "app", locked}, {Production, "partner", locked}, {Production, "", nil}, {Production, "stranger", nil},
		{Development, "app", developing}, {Development, "partner", locked}, {Development, "", anonymous}, {Development, "stranger", nil},
		{Open, "app", open}, {Open, "", open}, {Open, "stranger", open},
	} {
		for form, request := range forms {
			want := CodeClientUnknown
			if row.want != nil {
				var ok bool
				if want, ok = always[form]; !ok {
					if want, ok = row.want[form]; !ok {
						t.Fatalf("the matrix lacks %s", form)
					}
				}
			}
			r := request(row.client, own[row.client])
			resolved, err := policy(t, row.mode).Resolve(r)
			got := ""
			var refusal *Refusal
			if errors.As(err, &refusal) {
				got = refusal.Code
			}
			if got != want {
				t.Errorf("%s, client %q, %s: code %q, want %q (%v)", row.mode, row.client, form, got, want, err)
			}
			if want == "" && resolved.Document == "" || want != "" && resolved != (Resolved{}) {
				t.Errorf("%s, client %q, %s: %+v", row.mode, row.client, form, resolved)
			}
		}
	}
}

func TestResolveGivesTheManifestsName(t *testing.T) {
	for _, sent := range []string{"", "Home"} {
		got, err := policy(t, Production).Resolve(Request{Client: "app", Hash: hash(home), OperationName: sent})
		if want := (Resolved{home, "Home", true}); err != nil || got != want {
			t.Errorf("sent name %q: %+v, %v", sent, got, err)
		}
	}
}

func TestAutomaticIsLearnedAndBounded(t *testing.T) {
	p := policy(t, Development)
	p.Automatic = NewAutomatic(3 * (64 + 20))
	ask := func(r Request) error { _, err := p.Resolve(r); return err }
	text := func(i int) string { return fmt.Sprintf("{ field%012d }", i) } // 21 bytes: two fit
	for i := range 3 {
		if err := ask(Request{Query: text(i), Hash: hash(text(i))}); err != nil {
			t.Fatal(err)
		}
	}
	if err := ask(Request{Hash: hash(text(0))}); err == nil {
		t.Error("the oldest was not dropped")
	}
	for i := 1; i < 3; i++ {
		if got, err := p.Resolve(Request{Hash: hash(text(i))}); err != nil || got.Document != text(i) || got.Registered {
			t.Errorf("operation %d was not learned: %v", i, err)
		}
	}
	if p.Automatic.bytes > p.Automatic.mostBytes || len(p.Automatic.byHash) != p.Automatic.order.Len() {
		t.Errorf("%d bytes kept of at most %d", p.Automatic.bytes, p.Automatic.mostBytes)
	}
	p.Automatic.add("h", strings.Repeat("x", 1000))
	if _, ok := p.Automatic.lookup("h"); ok {
		t.Error("an operation larger than the whole was kept")
	}
}

func TestProductionNeverLearns(t *testing.T) {
	p := policy(t, Production)
	free := "{ free }"
	p.Automatic.add(hash(free), free)
	if _, err := p.Resolve(Request{Client: "app", Hash: hash(free)}); err == nil {
		t.Error("a learned operation ran in production mode")
	}
}

func TestLoadRefuses(t *testing.T) {
	for name, body := range map[string]string{
		"no JSON":      `{`,
		"format":       `{"format":"x","version":1}`,
		"version":      `{"format":"apollo-persisted-query-manifest","version":2}`,
		"null":         `{"format":"apollo-persisted-query-manifest","version":1,"operations":[null]}`,
		"no body":      `{"format":"apollo-persisted-query-manifest","version":1,"operations":[{"id":"1","name":"A","type":"query"}]}`,
		"type":         `{"format":"apollo-persisted-query-manifest","version":1,"operations":[{"id":"1","name":"A","type":"x","body":"{a}"}]}`,
		"double id":    `{"format":"apollo-persisted-query-manifest","version":1,"operations":[{"id":"1","name":"A","type":"query","body":"{a}"},{"id":"1","name":"B","type":"query","body":"{b}"}]}`,
		"double names": `{"format":"apollo-persisted-query-manifest","version":1,"operations":[{"id":"1","name":"A","type":"query","body":"{a}"},{"id":"2","name":"A","type":"query","body":"{b}"}]}`,
	} {
		if _, err := Load(map[string][]byte{"app": []byte(body)}); err == nil || !strings.Contains(err.Error(), "client app") {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func TestWarmNamesEveryFailure(t *testing.T) {
	manifests, err := Load(map[string][]byte{"app": manifest(home, board), "screen": manifest(board)})
	if err != nil {
		t.Fatal(err)
	}
	prepared := 0
	failures := Warm(manifests, func(document, name string) error {
		prepared++
		if name == "Board" {
			return errors.New("no field areas")
		}
		return nil
	})
	var got []string
	for _, failure := range failures {
		got = append(got, failure.Error())
	}
	want := "app/Board: no field areas\nscreen/Board: no field areas"
	if strings.Join(got, "\n") != want || prepared != 3 {
		t.Errorf("prepared %d, failures\n%s\nwant\n%s", prepared, strings.Join(got, "\n"), want)
	}
}

// Clients of automatic persisted queries send the text when they read the
// protocol's words, which not all of them look for in the code. Who may not
// send text is not asked for it.
func TestWordsThatAskForTheText(t *testing.T) {
	open, development := policy(t, Open), policy(t, Development)
	for _, test := range []struct {
		policy  *Policy
		client  string
		message string
	}{
		{open, "", "PersistedQueryNotSupported"},
		{development, "app", "PersistedQueryNotFound"},
		{&Policy{Mode: Development, Store: development.Store}, "app", "PersistedQueryNotFound"},
		{development, "partner", "没有编号为 0 的操作"},
		{policy(t, Production), "app", "没有编号为 0 的操作"},
	} {
		_, err := test.policy.Resolve(Request{Client: test.client, Hash: "0"})
		var refused *Refusal
		if !errors.As(err, &refused) || refused.Message != test.message {
			t.Errorf("%v, %q: %v, want %s", test.policy.Mode, test.client, err, test.message)
		}
	}
}
