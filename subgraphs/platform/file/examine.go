package file

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/citizencloud/citizencloud/foundation/fault"
)

// content is bytes that can be read from any place: a file on disk mostly.
type content interface {
	io.ReaderAt
	Size() int64
}

// examined is what a content turned out to be.
type examined struct {
	mediaType     string
	width, height *int
}

func (e examined) kind() Kind { return known[e.mediaType].kind }

// examine decides whether the content may come in: its bytes, the claimed media
// type ("" claims nothing) and the name's extension must agree, it must keep to
// the limits of its kind, and be nothing else besides (a polyglot). A picture
// must decode to its last row, an archive unfold to its last byte.
func examine(c content, name, claimed string) (examined, error) {
	if c.Size() == 0 {
		return examined{}, refuse("文件是空的")
	}
	extension := strings.ToLower(path.Ext(name))
	sniffed, err := sniff(c, extension)
	if err != nil {
		return examined{}, err
	}
	is, ok := known[sniffed]
	if !ok {
		return examined{}, refuse("只支持图片（JPG、PNG、GIF）、PDF、Office 文档（DOCX、XLSX、PPTX）、TXT、CSV、ZIP、MP3、WAV、MP4")
	}
	if claimed = claim(claimed); claimed != "" && claimed != sniffed && !(is.kind == Document && strings.HasPrefix(claimed, "text/") && strings.HasPrefix(sniffed, "text/") && claimed == "text/plain") {
		return examined{}, refuse("文件内容与声明的类型不一致")
	}
	if extension != "" && !slices.Contains(is.extensions, extension) {
		return examined{}, refuse("文件内容与扩展名不一致")
	}
	if limit := rules[is.kind].bytes; c.Size() > limit {
		return examined{}, refuse("文件不能超过 %d MB", limit>>20)
	}
	found := examined{mediaType: sniffed}
	switch {
	case is.kind == Picture:
		found.width, found.height, err = examinePicture(c, sniffed)
	case is.kind == Archive, sniffed == docx, sniffed == xlsx, sniffed == pptx:
		return found, examineArchive(c, sniffed != "application/zip")
	case sniffed == "application/pdf":
		err = examinePDF(c)
	case strings.HasPrefix(sniffed, "text/"):
		return found, examineText(c)
	}
	if err == nil && endsAsArchive(c) {
		err = refuse("文件里还藏有压缩包，不能上传")
	}
	return found, err
}

func refuse(format string, args ...any) *fault.Fault { return fault.Invalid("file", format, args...) }

// sniff tells the media type by the first bytes; "" for what is not known. The
// extension only tells apart texts.
func sniff(c content, extension string) (string, error) {
	head := make([]byte, 512)
	n, err := c.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	sniffed, _, _ := strings.Cut(http.DetectContentType(head[:n]), ";")
	switch sniffed {
	case "application/zip":
		return sniffArchive(c)
	case "text/plain":
		switch extension {
		case ".csv":
			return "text/csv", nil
		case ".txt":
			return sniffed, nil
		}
		return "", nil
	}
	return sniffed, nil
}

// examinePDF wants the marks of beginning and end where they belong.
func examinePDF(c content) error {
	tail := make([]byte, min(c.Size(), 1024))
	if _, err := c.ReadAt(tail, c.Size()-int64(len(tail))); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if !bytes.Contains(tail, []byte("%%EOF")) {
		return refuse("PDF 文件已损坏，无法打开")
	}
	return nil
}

// examineText refuses what is no text further on.
func examineText(c content) error {
	reader := io.NewSectionReader(c, 0, c.Size())
	buffer := make([]byte, 64<<10)
	for {
		n, err := reader.Read(buffer)
		for _, b := range buffer[:n] {
			if b < ' ' && b != '\n' && b != '\r' && b != '\t' && b != '\f' {
				return refuse("文本文件中有无法识别的内容")
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// contains says whether one of the marks, without regard to case, stands in the content.
func contains(c content, marks ...string) (bool, error) {
	const overlap = 32
	reader := io.NewSectionReader(c, 0, c.Size())
	buffer, kept := make([]byte, 64<<10), 0
	for {
		n, err := reader.Read(buffer[kept:])
		window := bytes.ToLower(buffer[:kept+n])
		for _, mark := range marks {
			if bytes.Contains(window, []byte(mark)) {
				return true, nil
			}
		}
		if errors.Is(err, io.EOF) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		kept = copy(buffer, buffer[max(0, kept+n-overlap):kept+n])
	}
}
