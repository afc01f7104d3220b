package thirdparty

import (
	"encoding/json"
	"net/http"
	"strings"
)

// What the simulated platforms know of their users: nothing of one whose name
// begins with "plain"; of Alipay's the card below, or where the person is
// written as a card (eighteen characters) that number under the same name; of
// WeChat's that whatever is asked is true, since it asks.
const (
	uncertified = "plain"
	// SimulatedName and SimulatedNumber are certified for Alipay's simulated users.
	SimulatedName   = "陈思远"
	SimulatedNumber = "510104199003072416"
)

const simulatedToken = "simulated-access-token"

func (s *Simulator) weChatToken(r *http.Request) []byte {
	var asked struct {
		AppID  string `json:"appid"`
		Secret string `json:"secret"`
		Grant  string `json:"grant_type"`
	}
	if json.NewDecoder(r.Body).Decode(&asked) != nil || asked.AppID != simulatedID || asked.Secret != simulatedSecret || asked.Grant != "client_credential" {
		return encoded(map[string]any{"errcode": 40125, "errmsg": "invalid appsecret"})
	}
	return encoded(map[string]any{"access_token": simulatedToken, "expires_in": 7200})
}

func (s *Simulator) weChatCheck(r *http.Request) []byte {
	var asked struct {
		OpenID   string `json:"openid"`
		RealName string `json:"real_name"`
		Number   string `json:"cred_id"`
		Type     string `json:"cred_type"`
		Code     string `json:"code"`
	}
	if r.URL.Query().Get("access_token") != simulatedToken {
		return encoded(map[string]any{"errcode": 40001, "errmsg": "invalid credential"})
	}
	if json.NewDecoder(r.Body).Decode(&asked) != nil || asked.Type != "1" || asked.RealName == "" || len(asked.Number) != 18 {
		return encoded(map[string]any{"errcode": 47001, "errmsg": "data format error"})
	}
	person, used := s.take(WeChat+" consent", asked.Code)
	if person == "" || used || asked.OpenID != "o"+person {
		return encoded(map[string]any{"errcode": weChatInvalidCode, "errmsg": "invalid code"})
	}
	if strings.HasPrefix(person, uncertified) {
		return encoded(map[string]any{"errcode": 0, "errmsg": "ok", "verify_openid": "V_OP_NA", "verify_real_name": "V_NM_ID_UM"})
	}
	return encoded(map[string]any{"errcode": 0, "errmsg": "ok", "verify_openid": "V_OP_NM_MA", "verify_real_name": "V_NM_ID_MA"})
}

func (s *Simulator) alipayShare(token string) map[string]any {
	person, ok := strings.CutPrefix(token, "publicpB")
	switch {
	case !ok || person == "":
		return map[string]any{"code": "20001", "msg": "Insufficient Token Permissions", "sub_code": "aop.invalid-auth-token"}
	case strings.HasPrefix(person, uncertified):
		return map[string]any{"code": "10000", "msg": "Success", "is_certified": "F"}
	}
	number := SimulatedNumber
	if len(person) == 18 {
		number = person
	}
	return map[string]any{"code": "10000", "msg": "Success", "is_certified": "T", "user_name": SimulatedName, "cert_type": alipayIdentityCard, "cert_no": number}
}
