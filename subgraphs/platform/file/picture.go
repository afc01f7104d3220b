package file

import (
	"bufio"
	"image"
	_ "image/gif"  // each import lets one kind of picture in
	_ "image/jpeg" // …
	_ "image/png"  // …
	"io"
)

// maxPixels bounds what a picture unfolds to: 40 megapixels, more than phones
// take, less than a decompression bomb.
const maxPixels = 40_000_000

func read(c content) *bufio.Reader {
	return bufio.NewReaderSize(io.NewSectionReader(c, 0, c.Size()), 64<<10)
}

// examinePicture decodes the picture within limits, and refuses one that is a
// page, a script or a PDF besides: who reads it carelessly would run it.
func examinePicture(c content, mediaType string) (width, height *int, err error) {
	config, format, err := image.DecodeConfig(read(c))
	if err != nil || "image/"+format != mediaType {
		return nil, nil, refuse("图片已损坏，无法打开")
	}
	if config.Width <= 0 || config.Height <= 0 || int64(config.Width)*int64(config.Height) > maxPixels {
		return nil, nil, refuse("图片尺寸过大，不能超过 %d 万像素", maxPixels/10_000)
	}
	if _, _, err := image.Decode(read(c)); err != nil {
		return nil, nil, refuse("图片已损坏，无法打开")
	}
	hides, err := contains(c, "<script", "<?php", "<html", "%pdf-1")
	if err != nil {
		return nil, nil, err
	}
	if hides {
		return nil, nil, refuse("图片里夹带了其他类型的内容，不能上传")
	}
	return &config.Width, &config.Height, nil
}
