package messagetemplate

import (
	"regexp"
	"strings"
	"sync"

	"golang.org/x/text/unicode/norm"
)

// Messages in the city's name lead nowhere but to the government's own sites: a
// value or wording with another address would make the sender's mistake, or
// somebody's text that the sender passed on, everybody's phishing.
var allowedHosts = []string{"gov.cn"}

// addresses finds what a reader, or a telephone, takes for a web address.
var addresses = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)((?:[a-z0-9-]+\.)+(?:com|cn|net|org|top|xyz|cc|vip|io|me|info|shop|site|club|link|tk|ru|biz|app|dev|co|tv|wang|ltd|work|online|store|live))(?:\.?(?:[^a-z0-9.-]|$))`)
})

// schemes finds an address by its beginning, whatever its host.
var schemes = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)(?:[a-z][a-z0-9+.-]*://|javascript:|data:|www\.)([^\s/?#，。！、]*)`)
})

// foreignAddress gives the first web address in the text that is not on the
// allow list; "" when there is none. Wide letters count as the usual ones.
func foreignAddress(text string) string {
	text = norm.NFKC.String(text)
	for _, found := range append(schemes().FindAllStringSubmatch(text, -1), addresses().FindAllStringSubmatch(text, -1)...) {
		if !allowedHost(found[1]) {
			return found[0]
		}
	}
	return ""
}

func allowedHost(host string) bool {
	if _, behind, user := strings.Cut(host, "@"); user {
		host = behind
	}
	host, _, _ = strings.Cut(strings.ToLower(host), ":")
	for _, allowed := range allowedHosts {
		if host == allowed || strings.HasSuffix(host, "."+allowed) {
			return true
		}
	}
	return false
}
