package captcha

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"image/png"
	"math/big"
	"strconv"
	"strings"

	"github.com/dchest/captcha"

	"github.com/citizencloud/citizencloud/subgraphs/platform/identifier"
)

// What a picture shows, and its size in pixels.
const (
	length        = 6 // digits
	width, height = 240, 80
)

// picture draws a picture as a data: URL, and gives the digits that it shows.
func picture() (image, answer string, err error) {
	var shown [length]byte
	for i := range shown {
		n, err := pick(10)
		if err != nil {
			return "", "", err
		}
		shown[i] = byte(n)
		answer += strconv.Itoa(n)
	}
	// How the digits are bent follows from this word and a secret of the process.
	word, err := identifier.New()
	if err != nil {
		return "", "", err
	}
	var drawn bytes.Buffer
	drawn.WriteString("data:image/png;base64,")
	encoder := base64.NewEncoder(base64.StdEncoding, &drawn)
	if err := png.Encode(encoder, captcha.NewImage(word, shown[:], width, height)); err != nil {
		return "", "", fmt.Errorf("captcha: drawing: %w", err)
	}
	if err := encoder.Close(); err != nil {
		return "", "", fmt.Errorf("captcha: drawing: %w", err)
	}
	return drawn.String(), answer, nil
}

// numerals are the numbers up to twenty in words.
var numerals = strings.Fields("零 一 二 三 四 五 六 七 八 九 十 十一 十二 十三 十四 十五 十六 十七 十八 十九 二十")

// question asks for a sum in words, and gives the answer in digits.
func question() (text, answer string, err error) {
	var n [3]int
	for i := range n {
		if n[i], err = pick(len(numerals) - 1); err != nil {
			return "", "", err
		}
		n[i]++
	}
	sum, sign := n[0]+n[1]+n[2], "加"
	if minus, err := pick(2); err != nil {
		return "", "", err
	} else if minus == 1 && n[2] <= n[0]+n[1] {
		sum, sign = n[0]+n[1]-n[2], "减"
	}
	text = fmt.Sprintf("%s加%s%s%s等于多少？请填写数字", numerals[n[0]], numerals[n[1]], sign, numerals[n[2]])
	return text, strconv.Itoa(sum), nil
}

func pick(below int) (int, error) {
	n, err := rand.Int(rand.Reader, big.NewInt(int64(below)))
	if err != nil {
		return 0, fmt.Errorf("captcha: drawing lots: %w", err)
	}
	return int(n.Int64()), nil
}
