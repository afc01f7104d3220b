package file

import (
	"archive/zip"
	"encoding/binary"
	"errors"
	"io"
	"path"
	"slices"
	"strings"
)

// The limits of what an archive unfolds to.
const (
	maxEntries  = 2000
	maxUnfolded = 512 << 20
	// maxRatio is the most that content may be folded, once it unfolds to more
	// than freely: small texts fold very well.
	maxRatio = 100
	freely   = 10 << 20
	// maxGap is the most between two entries: names, extra fields, a descriptor.
	maxGap = 4 << 10
)

// endRecord is the length of a zip's last record without a comment.
const endRecord = 22

// endsAsArchive says whether a zip reader would find an archive in the content.
func endsAsArchive(c content) bool {
	_, err := zip.NewReader(c, c.Size())
	return err == nil || !errors.Is(err, zip.ErrFormat)
}

func open(c content) (*zip.Reader, error) {
	damaged := refuse("压缩文件已损坏，无法打开")
	end := make([]byte, endRecord)
	if c.Size() < endRecord {
		return nil, damaged
	}
	if _, err := c.ReadAt(end, c.Size()-endRecord); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	// The last record is where the content ends, and says itself how much there
	// is: nothing hides before, between or behind.
	if string(end[:4]) != "PK\x05\x06" {
		return nil, damaged
	}
	entries, length, start := binary.LittleEndian.Uint16(end[10:]), binary.LittleEndian.Uint32(end[12:]), binary.LittleEndian.Uint32(end[16:])
	if int64(start)+int64(length) != c.Size()-endRecord {
		return nil, damaged
	}
	if entries > maxEntries {
		return nil, refuse("压缩文件中的文件数不能超过 %d", maxEntries)
	}
	archive, err := zip.NewReader(c, c.Size())
	if err != nil || len(archive.File) == 0 {
		return nil, damaged
	}
	if len(archive.File) > maxEntries {
		return nil, refuse("压缩文件中的文件数不能超过 %d", maxEntries)
	}
	return archive, nil
}

// sniffArchive tells office documents from other archives.
func sniffArchive(c content) (string, error) {
	archive, err := open(c)
	if err != nil {
		return "", err
	}
	office := ""
	typed := false
	for _, f := range archive.File {
		switch f.Name {
		case "[Content_Types].xml":
			typed = true
		case "word/document.xml":
			office = docx
		case "xl/workbook.xml":
			office = xlsx
		case "ppt/presentation.xml":
			office = pptx
		}
	}
	if typed && office != "" {
		return office, nil
	}
	return "application/zip", nil
}

// examineArchive unfolds the whole archive within the limits, to nowhere.
func examineArchive(c content, office bool) error {
	archive, err := open(c)
	if err != nil {
		return err
	}
	if err := apart(archive, c.Size()); err != nil {
		return err
	}
	var declared uint64
	for _, f := range archive.File {
		if err := examineEntry(f, office); err != nil {
			return err
		}
		if declared += f.UncompressedSize64; declared > maxUnfolded {
			return bomb()
		}
	}
	var unfolded int64
	for _, f := range archive.File {
		if f.FileInfo().IsDir() {
			continue
		}
		n, err := unfold(f, maxUnfolded-unfolded)
		if err != nil {
			return err
		}
		if unfolded += n; unfolded > maxUnfolded || unfolded > freely && unfolded/c.Size() > maxRatio {
			return bomb()
		}
	}
	return nil
}

func bomb() error { return refuse("压缩文件解开后过大，不能上传") }

// apart refuses entries that share bytes, by which a small archive unfolds to a
// huge one, and bytes that belong to none.
func apart(archive *zip.Reader, size int64) error {
	type span struct{ from, to int64 }
	spans := make([]span, 0, len(archive.File))
	for _, f := range archive.File {
		from, err := f.DataOffset()
		if err != nil || f.CompressedSize64 > uint64(size) {
			return refuse("压缩文件已损坏，无法打开")
		}
		spans = append(spans, span{from, from + int64(f.CompressedSize64)})
	}
	slices.SortFunc(spans, func(a, b span) int { return int(a.from - b.from) })
	var end int64
	for _, s := range spans {
		if s.from < end || s.from-end > maxGap {
			return refuse("压缩文件的结构异常，不能上传")
		}
		end = s.to
	}
	return nil
}

// nested are the extensions of archives, macros those of programs in documents.
var nested = []string{".zip", ".rar", ".7z", ".gz", ".bz2", ".xz", ".tar", ".jar", ".cab", ".iso", ".zst"}

func examineEntry(f *zip.File, office bool) error {
	name := strings.ReplaceAll(f.Name, `\`, "/")
	if strings.HasPrefix(name, "/") || strings.Contains(name, ":") || slices.Contains(strings.Split(name, "/"), "..") || strings.ContainsRune(name, 0) {
		return refuse("压缩文件中有不安全的路径")
	}
	if !f.Mode().IsRegular() && !f.Mode().IsDir() {
		return refuse("压缩文件中有链接等特殊文件，不能上传")
	}
	if f.Flags&1 != 0 {
		return refuse("加密的压缩文件无法检查，不能上传")
	}
	base := strings.ToLower(path.Base(name))
	if slices.Contains(nested, path.Ext(base)) {
		return refuse("压缩文件中不能再有压缩文件")
	}
	if office && strings.HasPrefix(base, "vbaproject") {
		return refuse("文档中有宏，不能上传")
	}
	return nil
}

// unfold reads the entry to its end, at most limit bytes and one.
func unfold(f *zip.File, limit int64) (int64, error) {
	opened, err := f.Open()
	if err != nil {
		return 0, refuse("压缩文件已损坏，无法打开")
	}
	defer func() { _ = opened.Close() }()
	n, err := io.Copy(io.Discard, io.LimitReader(opened, limit+1))
	if err != nil {
		return 0, refuse("压缩文件已损坏，无法打开")
	}
	return n, nil
}
