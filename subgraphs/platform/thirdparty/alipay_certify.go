package thirdparty

import (
	"context"
	"errors"
	"net/url"
	"strings"
)

const (
	alipayShareMethod = "alipay.user.info.share"
	alipayShareAnswer = "alipay_user_info_share_response"
	// alipayIdentityCard is cert_type of a resident's identity card.
	alipayIdentityCard = "0"
)

// alipayUser is what Alipay shares of a user who agreed to it.
type alipayUser struct {
	IsCertified string `json:"is_certified"` // "T"
	UserName    string `json:"user_name"`
	CertType    string `json:"cert_type"`
	CertNo      string `json:"cert_no"`
}

// Certify implements Certifier: alipay.user.info.share, for applications that
// Alipay shares certificates with. Name and number are compared and forgotten.
func (a *alipay) Certify(ctx context.Context, codes Codes, who Person) (Certificate, error) {
	token, err := a.exchange(ctx, codes.SignIn)
	if err != nil {
		return Certificate{}, err
	}
	if token.AccessToken == "" {
		return Certificate{}, errors.New("thirdparty: Alipay gives no token")
	}
	var user alipayUser
	if err := a.call(ctx, alipayShareMethod, alipayShareAnswer, url.Values{"auth_token": {token.AccessToken}}, &user); err != nil {
		return Certificate{}, err
	}
	same := user.IsCertified == "T" && user.CertType == alipayIdentityCard && user.UserName == who.Name && strings.EqualFold(user.CertNo, who.Number)
	return Certificate{Certified: same, Simulated: a.settings.Simulated}, nil
}
