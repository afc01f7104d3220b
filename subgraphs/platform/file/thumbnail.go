package file

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"io/fs"
	"net/http"
	"strconv"
)

// ThumbnailSize is how large a small copy of a picture is.
type ThumbnailSize string

// The sizes.
const (
	Small ThumbnailSize = "SMALL"
	Large ThumbnailSize = "LARGE"
)

// pixels is the longer side of each size.
var pixels = map[ThumbnailSize]int{Small: 160, Large: 640}

// thumbnailKey is where the thumbnail of a content lies. It follows from the
// content alone, so that it can be made anew at any time.
func thumbnailKey(hash []byte, side int) string {
	text := hex.EncodeToString(hash)
	return fmt.Sprintf("thumbnail/%s/%s-%d", text[:2], text, side)
}

func thumbnailKeys(hash []byte) (keys []string) {
	for _, side := range pixels {
		keys = append(keys, thumbnailKey(hash, side))
	}
	return keys
}

// thumbnail serves the small copy, which is made when it is first asked for.
func (s *Service) thumbnail(w http.ResponseWriter, r *http.Request) {
	side, _ := strconv.Atoi(r.PathValue("pixels"))
	v, signed, err := s.wanted(r)
	if err == nil && (v.Width == nil || side != pixels[Small] && side != pixels[Large]) {
		err = gone()
	}
	var content io.ReadSeeker
	if err == nil {
		content, err = s.small(r.Context(), v, side)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.serve(w, r, content, "image/jpeg", "thumbnail.jpg", fmt.Sprintf("%x-%d", v.Hash, side), signed)
}

// maxThumbnail is more than a JPEG of the larger size ever takes.
const maxThumbnail = 4 << 20

func (s *Service) small(ctx context.Context, v *FileVersion, side int) (io.ReadSeeker, error) {
	key := thumbnailKey(v.Hash, side)
	kept, _, err := s.Files.Get(ctx, key)
	if err == nil {
		defer func() { _ = kept.Close() }()
		content, err := io.ReadAll(io.LimitReader(kept, maxThumbnail))
		return bytes.NewReader(content), err
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("file: opening a thumbnail: %w", err)
	}
	release, err := s.slot(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	original, _, err := s.Files.Get(ctx, v.Key)
	if err != nil {
		return nil, fmt.Errorf("file: opening a picture: %w", err)
	}
	defer func() { _ = original.Close() }()
	content, err := shrink(original, side)
	if err != nil {
		return nil, err
	}
	if err := s.Files.Put(ctx, key, bytes.NewReader(content), int64(len(content))); err != nil {
		s.Log.WarnContext(ctx, "a thumbnail was not kept, it is made again next time", "error", err)
	}
	return bytes.NewReader(content), nil
}

// shrink decodes the picture within the limit and encodes it as JPEG, its
// longer side at most so many pixels; what is transparent becomes white.
func shrink(picture io.ReadSeeker, side int) ([]byte, error) {
	config, _, err := image.DecodeConfig(picture)
	if err == nil && int64(config.Width)*int64(config.Height) > maxPixels {
		err = errors.New("too many pixels")
	}
	if err == nil {
		_, err = picture.Seek(0, io.SeekStart)
	}
	if err != nil {
		return nil, fmt.Errorf("file: a picture of ours cannot be read: %w", err)
	}
	full, _, err := image.Decode(picture)
	if err != nil {
		return nil, fmt.Errorf("file: a picture of ours cannot be read: %w", err)
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, scale(full, side), &jpeg.Options{Quality: 82}); err != nil {
		return nil, fmt.Errorf("file: encoding a thumbnail: %w", err)
	}
	return out.Bytes(), nil
}

// samples is how many pixels across and down make one: enough for smooth lines,
// and a cost that does not grow with the picture.
const samples = 4

// scale fits the picture into a square of the side; small ones keep their size.
func scale(full image.Image, side int) *image.RGBA {
	bounds := full.Bounds()
	width, height := bounds.Dx(), bounds.Dy()
	if longer := max(width, height); longer > side {
		width, height = max(1, width*side/longer), max(1, height*side/longer)
	}
	out := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			var red, green, blue uint64
			for i := range samples * samples {
				px := bounds.Min.X + ((2*(x*samples+i%samples)+1)*bounds.Dx())/(2*width*samples)
				py := bounds.Min.Y + ((2*(y*samples+i/samples)+1)*bounds.Dy())/(2*height*samples)
				r, g, b, a := full.At(px, py).RGBA()
				white := uint64(0xffff - a)
				red, green, blue = red+uint64(r)+white, green+uint64(g)+white, blue+uint64(b)+white
			}
			const n = samples * samples * 0x101
			out.SetRGBA(x, y, color.RGBA{R: uint8(red / n), G: uint8(green / n), B: uint8(blue / n), A: 0xff})
		}
	}
	return out
}
