package file

import (
	"fmt"
	"mime"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"
)

const maxName = 100

// mediaType reads the type of a Content-Type header; "" when there is none.
func mediaType(header string) (string, error) {
	if header == "" {
		return "", nil
	}
	media, _, err := mime.ParseMediaType(header)
	if err != nil {
		return "", refuse("Content-Type 无法识别")
	}
	return media, nil
}

// tidyName keeps the last part of a path, without what cannot be seen, and cut
// to a length; it is only ever shown, never a path on our side.
func tidyName(name string) string {
	name = path.Base(strings.ReplaceAll(strings.ToValidUTF8(name, ""), `\`, "/"))
	name = strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029' {
			return -1
		}
		return r
	}, name))
	if name == "" || name == "." || name == ".." || name == "/" {
		return "未命名"
	}
	if utf8.RuneCountInString(name) > maxName {
		extension := path.Ext(name)
		if utf8.RuneCountInString(extension) > 10 {
			extension = ""
		}
		name = fmt.Sprint(string([]rune(name)[:maxName-utf8.RuneCountInString(extension)]), extension)
	}
	return name
}

// disposition is the Content-Disposition of the file: inline only for what a
// browser may show, and the name as RFC 6266 has it, which leaves nothing in it
// that could end the header or name a folder.
func disposition(mediaType, name string) string {
	how := "attachment"
	if known[mediaType].inline {
		how = "inline"
	}
	if text := mime.FormatMediaType(how, map[string]string{"filename": tidyName(name)}); text != "" {
		return text
	}
	return how
}
