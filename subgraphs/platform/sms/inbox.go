package sms

import (
	"encoding/json"
	"html/template"
	"log/slog"
	"net/http"
	"strings"
)

// page shows the messages; the browser asks again every three seconds.
var page = template.Must(template.New("inbox").Parse(`<!doctype html>
<html lang="zh-CN">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="3">
<title>短信收件箱（开发模式）</title>
<style>
body { font: 16px/1.6 system-ui, "Noto Sans SC", sans-serif; max-width: 52rem; margin: 2rem auto; padding: 0 1rem; color: #1b2733; }
li { list-style: none; border: 1px solid #d5dde5; border-radius: 8px; padding: .75rem 1rem; margin: .75rem 0; }
b { font: 600 1.5rem/1 ui-monospace, monospace; letter-spacing: .15em; color: #0b5cad; }
small { color: #5b6b7a; }
ul { padding: 0; }
</style>
<h1>短信收件箱</h1>
<p>开发模式下短信不会真正发出，最近的验证码显示在这里。</p>
<ul>{{range .}}
<li><b>{{.Code}}</b> 发往 {{.Mobile}}<br>{{.Text}}<br><small>{{.At.Local.Format "2006-01-02 15:04:05"}}</small></li>{{else}}
<li>还没有短信。</li>{{end}}
</ul>
</html>
`))

// Handler shows the simulator's last messages as a page, or with ?format=json
// as JSON; ?mobile= chooses those to one number. Only for the development mode.
func (s *Simulator) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "只支持 GET", http.StatusMethodNotAllowed)
			return
		}
		// "+86…" not escaped arrives as " 86…"
		mobile := strings.Replace(r.URL.Query().Get("mobile"), " ", "+", 1)
		list, err := s.Inbox(r.Context(), mobile)
		if err != nil {
			s.Log.ErrorContext(r.Context(), "development inbox failed", "error", err)
			http.Error(w, "收件箱暂时不可用", http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if r.URL.Query().Get("format") == "json" {
			w.Header().Set("Content-Type", "application/json; charset=utf-8")
			err = json.NewEncoder(w).Encode(list)
		} else {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
			err = page.Execute(w, list)
		}
		if err != nil {
			s.Log.DebugContext(r.Context(), "development inbox cut off", slog.Any("error", err))
		}
	})
}
