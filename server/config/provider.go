package config

import "errors"

// Providers are the outside services that citizens sign in by. What is not
// given is simulated in development mode, and not open in production mode.
type Providers struct {
	SmsURL          string `name:"sms-url" placeholder:"URL" help:"The SMS gateway that codes are handed to; see docs/operations.md for what it is sent."`
	SmsSecret       string `name:"sms-secret" placeholder:"SECRET" help:"Signs what the SMS gateway is sent; better given as an environment variable."`
	WechatAppID     string `name:"wechat-app-id" placeholder:"ID" help:"The WeChat mini-program."`
	WechatSecret    string `name:"wechat-secret" placeholder:"SECRET" help:"Its secret; better given as an environment variable."`
	WechatURL       string `name:"wechat-url" placeholder:"URL" help:"WeChat's interfaces, where they are reached by another address than their own."`
	AlipayAppID     string `name:"alipay-app-id" placeholder:"ID" help:"The Alipay application."`
	AlipayKey       string `name:"alipay-key" type:"path" placeholder:"FILE" help:"Its RSA private key."`
	AlipayPublicKey string `name:"alipay-public-key" type:"path" placeholder:"FILE" help:"Alipay's RSA public key."`
	ClamdURL        string `name:"clamd-url" placeholder:"URL" help:"ClamAV's daemon, tcp://HOST:PORT or unix:///PATH, which uploaded files are shown to before anybody gets them; without it none are."`
	AlipayURL       string `name:"alipay-url" placeholder:"URL" help:"Alipay's gateway, where it is reached by another address than its own."`
	// SimulatePayments is for trials: an order that a simulator calls paid is not.
	SimulatePayments bool `name:"simulate-payments" help:"Simulate the payment channels in production mode too; no money moves. Without it none is open there."`
	Carriers         `embed:""`
	RealName         `embed:""`
}

// Validate refuses what is given by half.
func (p *Providers) Validate() error {
	err := together(map[string][]string{
		"--sms-url and --sms-secret":                            {p.SmsURL, p.SmsSecret},
		"--wechat-app-id and --wechat-secret":                   {p.WechatAppID, p.WechatSecret},
		"--alipay-app-id, --alipay-key and --alipay-public-key": {p.AlipayAppID, p.AlipayKey, p.AlipayPublicKey},
	})
	if err != nil {
		return err
	}
	if err := p.Carriers.check(); err != nil {
		return err
	}
	if err := p.RealName.check(); err != nil {
		return err
	}
	if p.WechatURL != "" && p.WechatAppID == "" {
		return errors.New("--wechat-url needs --wechat-app-id")
	}
	if p.AlipayURL != "" && p.AlipayAppID == "" {
		return errors.New("--alipay-url needs --alipay-app-id")
	}
	return nil
}
