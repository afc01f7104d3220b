package file

import "time"

// Kind is a class of content; limits and retention go by it.
type Kind string

// The kinds.
const (
	Picture  Kind = "PICTURE"
	Document Kind = "DOCUMENT"
	Archive  Kind = "ARCHIVE"
	Audio    Kind = "AUDIO"
	Video    Kind = "VIDEO"
)

const day = 24 * time.Hour

// rules are those of each kind: the most bytes, and how long after the upload
// the content is kept at least, even when its owner deletes it.
var rules = map[Kind]struct {
	bytes  int64
	retain time.Duration
}{
	Picture:  {MaxBytes, 180 * day},
	Document: {50 << 20, 3 * 365 * day},
	Archive:  {100 << 20, 365 * day},
	Audio:    {50 << 20, 180 * day},
	Video:    {200 << 20, 180 * day},
}

// Retention is how long after its upload content of the kind is kept at least.
func Retention(k Kind) time.Duration { return rules[k].retain }

const (
	// MaxBytes is the largest file that POST /files takes, and the largest picture.
	MaxBytes = 10 << 20
	// MaxUpload is the largest file of all, by resumable upload.
	MaxUpload = 200 << 20
)

// media is what a media type is.
type media struct {
	kind       Kind
	extensions []string
	inline     bool // whether a browser may show it in a page's place
}

// The media types that may come in. Nothing that a browser would run is among
// them (HTML, SVG, scripts); what a browser may show itself is inline.
var known = map[string]media{
	"image/jpeg":      {Picture, []string{".jpg", ".jpeg"}, true},
	"image/png":       {Picture, []string{".png"}, true},
	"image/gif":       {Picture, []string{".gif"}, true},
	"application/pdf": {Document, []string{".pdf"}, false},
	docx:              {Document, []string{".docx"}, false},
	xlsx:              {Document, []string{".xlsx"}, false},
	pptx:              {Document, []string{".pptx"}, false},
	"text/plain":      {Document, []string{".txt"}, false},
	"text/csv":        {Document, []string{".csv"}, false},
	"application/zip": {Archive, []string{".zip"}, false},
	"audio/mpeg":      {Audio, []string{".mp3"}, true},
	"audio/wave":      {Audio, []string{".wav"}, true},
	"video/mp4":       {Video, []string{".mp4"}, true},
}

const (
	docx = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
	xlsx = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	pptx = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
)

// aliases are other names that clients have for the types.
var aliases = map[string]string{
	"image/jpg": "image/jpeg", "image/pjpeg": "image/jpeg", "application/x-zip-compressed": "application/zip",
	"audio/mp3": "audio/mpeg", "audio/wav": "audio/wave", "audio/x-wav": "audio/wave", "audio/vnd.wave": "audio/wave",
	"application/csv": "text/csv", "application/x-pdf": "application/pdf",
}

// claim is the type that the client says, "" when it says none.
func claim(mediaType string) string {
	if mediaType == "application/octet-stream" {
		return ""
	}
	if name, ok := aliases[mediaType]; ok {
		return name
	}
	return mediaType
}
