package clientapp

import (
	"net"
	"net/url"
	"strings"

	"github.com/citizencloud/citizencloud/foundation/fault"
)

// maxAddresses bounds the addresses of one application, maxAddress one of them.
const (
	maxAddresses = 20
	maxAddress   = 300
)

// addresses checks where sign-ins (or sign-outs) may return to: they are
// compared letter by letter later, so here nothing may stand that a browser
// would read in another way than a person does.
func addresses(field string, kind Kind, list []string) ([]string, error) {
	if len(list) > maxAddresses {
		return nil, fault.Invalid(field, "回调地址最多 %d 个", maxAddresses)
	}
	seen := make(map[string]bool, len(list))
	clean := make([]string, 0, len(list))
	for _, text := range list {
		if why := wrong(kind, text); why != "" {
			return nil, fault.Invalid(field, "回调地址 %.80q 不可用：%s", text, why)
		}
		if !seen[text] {
			seen[text] = true
			clean = append(clean, text)
		}
	}
	return clean, nil
}

// wrong says what is wrong with an address, "" for nothing.
func wrong(kind Kind, text string) string {
	if text == "" || len(text) > maxAddress {
		return "长度须在 1 到 300 之间"
	}
	for _, r := range text {
		if r <= ' ' || r >= 0x7f || strings.ContainsRune("\\<>\"{}|^`*", r) {
			return "含有不允许的字符"
		}
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme == "" || u.Opaque != "" {
		return "须为完整的地址"
	}
	switch {
	case u.User != nil:
		return "不能带有用户信息"
	case u.Fragment != "" || strings.Contains(text, "#"):
		return "不能带有 # 片段"
	case strings.Contains(u.Path, "/../") || strings.HasSuffix(u.Path, "/..") || strings.Contains(u.Path, "/./") || strings.Contains(u.Path, "//"):
		return "路径不能含有 .. 、. 或 //"
	case u.Path != "" && u.EscapedPath() != u.Path:
		return "路径不能含有转义字符"
	}
	switch u.Scheme {
	case "https":
		if u.Hostname() == "" {
			return "缺少主机名"
		}
		return ""
	case "http":
		if !Loopback(u) {
			return "须使用 https；仅本机调试可用 http"
		}
		return ""
	}
	// RFC 8252, section 7.1: a scheme of one's own is a domain name of one's own, reversed
	if kind != KindNative || !strings.Contains(u.Scheme, ".") {
		return "须使用 https"
	}
	return ""
}

// Loopback says whether the address is on the machine itself.
func Loopback(u *url.URL) bool {
	host := u.Hostname()
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}

// forDebugging says whether an address is one that only a developer reaches.
func forDebugging(kind Kind, text string) bool {
	u, err := url.Parse(text)
	return err != nil || kind != KindNative && u.Scheme == "http"
}
