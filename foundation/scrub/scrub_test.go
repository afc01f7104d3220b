package scrub

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// personal draws a value that must never be kept, as people write it.
func personal(t *rapid.T) string {
	digits := func(n int) string { return rapid.StringMatching(fmt.Sprintf("[0-9]{%d}", n)).Draw(t, "digits") }
	switch rapid.IntRange(0, 6).Draw(t, "kind") {
	case 0:
		return rapid.SampledFrom([]string{"", "+86", "86", "+86 "}).Draw(t, "prefix") + rapid.StringMatching("1[3-9][0-9]{9}").Draw(t, "mobile")
	case 1:
		m := rapid.StringMatching("1[3-9][0-9]{9}").Draw(t, "mobile")
		return m[:3] + "-" + m[3:7] + " " + m[7:]
	case 2:
		body := fmt.Sprintf("51010%d%d%02d%02d", rapid.IntRange(1, 9).Draw(t, "area"), rapid.IntRange(1930, 2020).Draw(t, "year"), rapid.IntRange(1, 12).Draw(t, "month"), rapid.IntRange(1, 28).Draw(t, "day")) + digits(3)
		for check := range 11 {
			if full := body + string("0123456789X"[check]); identity(full) {
				return full
			}
		}
		t.Fatal("no check digit fits")
	case 3:
		body := "62" + digits(14)
		for check := range 10 {
			if full := body + fmt.Sprint(check); luhn(full) {
				return full
			}
		}
	case 4:
		return rapid.StringMatching(`[a-z][a-z0-9._]{2,10}@[a-z]{2,8}\.(com|cn)`).Draw(t, "email")
	case 5:
		return "eyJ" + rapid.StringMatching(`[A-Za-z0-9_-]{12,30}\.eyJ[A-Za-z0-9_-]{12,30}\.[A-Za-z0-9_-]{20,40}`).Draw(t, "jwt")
	}
	return fmt.Sprintf("104.%06d,30.%06d", rapid.IntRange(1, 999_999).Draw(t, "longitude"), rapid.IntRange(1, 999_999).Draw(t, "latitude"))
}

// TestNoValueStays: whatever stands around it, personal data is gone, and what
// is left is not changed by a second time.
func TestNoValueStays(t *testing.T) {
	around := rapid.SampledFrom([]string{"", " ", "：", "用户手机号", "(", "）失败", " 已发送至 ", "\n", "=", "\"", "社区", ", "})
	rapid.Check(t, func(t *rapid.T) {
		value := personal(t)
		text := around.Draw(t, "before") + value + around.Draw(t, "after")
		clean := Text(text)
		if strings.Contains(clean, value) {
			t.Fatalf("%q became %q", text, clean)
		}
		if again := Text(clean); again != clean {
			t.Fatalf("%q became %q the second time", clean, again)
		}
		raw, err := json.Marshal(map[string]any{"a": []any{value}, "b": map[string]any{value: 1}})
		if err != nil {
			t.Fatal(err)
		}
		if clean := JSON(raw); strings.Contains(clean, value) || !json.Valid([]byte(clean)) {
			t.Fatalf("%s became %s", raw, clean)
		}
	})
}

func TestText(t *testing.T) {
	for text, want := range map[string]string{
		"验证码已发送至 13800138000":                "验证码已发送至 " + Mobile,
		"全角１３８００１３８０００":                      "全角" + Mobile,
		"身份证 11010519491231002X":             "身份证 " + Identity,
		"Authorization: Bearer abcdef123456": "Authorization: " + Secret + " abcdef123456",
		`password=Shimin-Cloud-2026 ok`:      "password=" + Secret + " ok",
		"token: abcdef":                      "token: " + Secret,
		"社区 510104017001 共 3000 户":           "社区 510104017001 共 3000 户",
		"用时 1.5s，2026-03-01T09:30:00+08:00":  "用时 1.5s，2026-03-01T09:30:00+08:00",
		"第 12345 号":                          "第 12345 号",
	} {
		got := Text(text)
		if strings.Contains(text, "Bearer") {
			if strings.Contains(got, "abcdef123456") {
				t.Errorf("%q became %q", text, got)
			}
			continue
		}
		if got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
	if got := JSON([]byte(`{"password":"x","lat":30.65,"realName":"王伟","n":13800138000,"ok":true}`)); strings.Contains(got, `"x"`) || strings.Contains(got, "30.65") || strings.Contains(got, "王伟") || strings.Contains(got, "13800138000") || !strings.Contains(got, `"ok":true`) {
		t.Errorf("%s", got)
	}
}
