package file

import (
	"bytes"
	"fmt"
	"image"
	_ "image/gif"  // each import lets one kind of picture in
	_ "image/jpeg" // …
	_ "image/png"  // …
	"mime"
	"net/http"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/citizencloud/citizencloud/foundation/fault"
)

const (
	// MaxBytes is the largest file.
	MaxBytes = 10 << 20
	// maxPixels bounds what a picture unfolds to: 40 megapixels, more than
	// phones take, less than a decompression bomb.
	maxPixels = 40_000_000
	maxName   = 100
)

// extensions are those of the media types that may come in.
var extensions = map[string][]string{
	"image/jpeg": {".jpg", ".jpeg"},
	"image/png":  {".png"},
	"image/gif":  {".gif"},
}

// examined is what a content turned out to be.
type examined struct {
	mediaType     string
	width, height int
}

// examine decides whether the content may come in: its bytes, the claimed media
// type ("" claims nothing) and the name's extension must agree, and a picture
// must decode to its last row.
func examine(content []byte, name, claimed string) (examined, error) {
	if len(content) == 0 {
		return examined{}, refuse("文件是空的")
	}
	if len(content) > MaxBytes {
		return examined{}, refuse("文件不能超过 %d MB", MaxBytes>>20)
	}
	sniffed := http.DetectContentType(content)
	allowed, known := extensions[sniffed]
	if !known {
		return examined{}, refuse("只支持 JPG、PNG、GIF 图片")
	}
	if claimed == "image/jpg" { // some clients' name for it
		claimed = "image/jpeg"
	}
	if claimed != "" && claimed != "application/octet-stream" && claimed != sniffed {
		return examined{}, refuse("文件内容与声明的类型不一致")
	}
	if extension := strings.ToLower(path.Ext(name)); extension != "" && !slices.Contains(allowed, extension) {
		return examined{}, refuse("文件内容与扩展名不一致")
	}
	config, format, err := image.DecodeConfig(bytes.NewReader(content))
	if err != nil || "image/"+format != sniffed {
		return examined{}, refuse("图片已损坏，无法打开")
	}
	if config.Width <= 0 || config.Height <= 0 || int64(config.Width)*int64(config.Height) > maxPixels {
		return examined{}, refuse("图片尺寸过大，不能超过 %d 万像素", maxPixels/10_000)
	}
	if _, _, err := image.Decode(bytes.NewReader(content)); err != nil {
		return examined{}, refuse("图片已损坏，无法打开")
	}
	return examined{mediaType: sniffed, width: config.Width, height: config.Height}, nil
}

func refuse(format string, args ...any) *fault.Fault { return fault.Invalid("file", format, args...) }

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
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
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
