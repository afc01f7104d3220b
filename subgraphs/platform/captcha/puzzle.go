package captcha

import (
	"crypto/rand"
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"github.com/mojocn/base64Captcha"
)

// letters are those that a picture shows: none that is taken for another.
const (
	letters = "ABCDEFGHJKLMNPRSTUVWXY3456789"
	length  = 5
)

// draws draws pictures of 240 × 80 with lines and noise.
var draws = base64Captcha.NewDriverString(80, 240, 12, base64Captcha.OptionShowHollowLine|base64Captcha.OptionShowSlimeLine,
	length, letters, nil, nil, nil)

// picture draws a picture as a data: URL, and gives what it shows.
func picture() (image, answer string, err error) {
	var b strings.Builder
	for range length {
		n, err := pick(len(letters))
		if err != nil {
			return "", "", err
		}
		b.WriteByte(letters[n])
	}
	item, err := draws.DrawCaptcha(b.String())
	if err != nil {
		return "", "", fmt.Errorf("captcha: drawing: %w", err)
	}
	return item.EncodeB64string(), b.String(), nil
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
