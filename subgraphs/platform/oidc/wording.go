package oidc

import (
	"net/http"
	"strings"
	"sync"

	"golang.org/x/text/language"

	"github.com/citizencloud/citizencloud/subgraphs/platform/clientapp"
)

// tongue is the language of a page: Chinese or English.
type tongue int

const (
	chinese tongue = iota
	english
)

// tag is the language's name for the page's lang attribute.
func (t tongue) tag() string { return [...]string{"zh-CN", "en"}[t] }

var matcher = sync.OnceValue(func() language.Matcher {
	return language.NewMatcher([]language.Tag{language.SimplifiedChinese, language.English})
})

// tongueOf chooses the language: what the application asked for by ui_locales
// goes first, then what the browser prefers.
func tongueOf(r *http.Request, locales string) tongue {
	accept := r.Header.Get("Accept-Language")
	if len(accept) > 200 {
		accept = ""
	}
	_, index := language.MatchStrings(matcher(), locales, accept)
	return tongue(index)
}

// words are what pages say, in Chinese and English.
var words = map[string][2]string{
	"product": {"市民云统一登录", "Citizen Cloud sign-in"}, "signIn": {"登录", "Sign in"}, "for": {"登录后继续使用", "Sign in to continue to"},
	"sandbox": {"该应用正在试用，尚未上线", "This application is on trial and not yet live"},
	"wayCode": {"短信验证码", "Text message"}, "wayPassword": {"密码", "Password"}, "wayWorker": {"工作人员", "Staff"}, "ways": {"登录方式", "Ways to sign in"},
	"mobile": {"手机号", "Mobile number"}, "code": {"验证码", "Code"}, "sendCode": {"获取验证码", "Send a code"},
	"codeSent": {"验证码已发送，请查收短信", "The code is on its way to your phone"}, "password": {"密码", "Password"}, "login": {"登录名", "Login name"},
	"factor": {"动态验证码", "One-time code"}, "factorHelp": {"请输入身份验证器中的 6 位动态码，或一个恢复码", "Enter the six digits of your authenticator, or a recovery code"},
	"verify": {"验证", "Verify"}, "captcha": {"图中的字符", "Characters in the picture"}, "question": {"请回答", "Please answer"}, "answer": {"答案", "Answer"},
	"captchaText":  {"改用文字题", "Ask me a question instead"},
	"passwordDue":  {"请先在工作台修改初始密码，再使用统一登录", "Change your first password in the workbench before you sign in here"},
	"enrolmentDue": {"管理员须先在工作台启用双因素验证", "Administrators set up two-factor sign-in in the workbench first"},
	"notSuited":    {"您登录的账户不适用于此应用，请换一个账户", "The account that you are signed in with cannot use this application; choose another one"},
	"agreeTitle":   {"授权确认", "Allow access"}, "agreeAsks": {"申请获得以下授权：", "asks for the following:"}, "signedInAs": {"当前账户", "Signed in as"},
	"allow": {"同意授权", "Allow"}, "deny": {"拒绝", "Deny"}, "switch": {"使用其他账户", "Use another account"},
	"agreeNote": {"您可以随时在“账户与安全”中查看和撤回授权。", "You can see and withdraw this at any time in your account's security settings."},
	"required":  {"必需", "required"}, "unit": {"开发单位", "Offered by"},
	"deviceTitle": {"设备登录", "Sign in on a device"}, "deviceHelp": {"请输入设备屏幕上显示的代码", "Enter the code that the device shows"}, "userCode": {"设备代码", "Device code"},
	"continue": {"继续", "Continue"}, "deviceWarn": {"仅当您面前的设备正显示以下代码时才同意；不要为他人发来的代码授权。", "Allow this only if the device before you shows this code. Never do so for a code that somebody sent you."},
	"deviceDone": {"设备已获授权，请返回设备继续。", "The device is signed in; go on there."}, "deviceDenied": {"已拒绝该设备。", "The device was turned away."},
	"deviceUnknown": {"代码无效或已过期，请核对设备上显示的代码", "This code is wrong or has expired; look at the device again"},
	"signOutTitle":  {"退出登录", "Sign out"}, "signOutAsk": {"退出后，所有通过统一登录使用的应用都将退出。", "This signs you out of every application that you signed in to here."},
	"signOut": {"退出", "Sign out"}, "stay": {"取消", "Cancel"}, "signedOut": {"您已退出登录。", "You are signed out."},
	"stillIn":    {"您没有退出登录。", "You are still signed in."},
	"errorTitle": {"无法继续", "This did not work"}, "errGone": {"本次登录请求不存在或已过期，请返回应用重新登录。", "This sign-in has expired or does not exist; go back to the application and start again."},
	"errBrowser":  {"本次登录不是在此浏览器中发起的，请返回应用重新登录。", "This sign-in was not started in this browser; go back to the application and start again."},
	"errClient":   {"应用不存在、未上线或已停用。", "There is no such application, or it is not in use."},
	"errRedirect": {"应用提供的回调地址未经登记，为保护您的账户，已停止登录。", "The address that the application wants to return to is not registered; to protect your account the sign-in was stopped."},
	"errForm":     {"页面已失效，请返回重试。", "This page has expired; go back and try again."},
	"errLogout":   {"退出请求无效：返回地址未经登记或令牌无效。", "The sign-out request is wrong: its return address is not registered, or its token is not valid."},
	"errInternal": {"系统繁忙，请稍后重试。", "Something went wrong; try again later."}, "close": {"您可以关闭此页面。", "You can close this page."},
	"OPENID":         {"确认您的登录身份（仅本应用可见的编号）", "Know that it is you, by a number for this application only"},
	"PROFILE":        {"您的昵称；工作人员为姓名", "Your nickname, or your name if you are staff"},
	"PHONE":          {"您的手机号，中间四位隐藏", "Your mobile number with four digits hidden"},
	"PHONE_FULL":     {"您的完整手机号", "Your whole mobile number"},
	"REALNAME":       {"您的实名认证等级，不含姓名和证件号", "How well your identity is verified, without your name or ID number"},
	"AREA":           {"您居住的社区，或任职的区划", "The community where you live, or the area that you work for"},
	"ORGANIZATION":   {"您的单位、岗位和角色", "Your organisation, post and roles"},
	"API":            {"以您的身份调用已获批准的开放操作", "Run the approved operations in your name"},
	"OFFLINE_ACCESS": {"在您不使用时保持授权，直到您退出登录或撤回", "Keep this access while you are away, until you sign out or withdraw it"},
}

// say gives the words for the key.
func (t tongue) say(key string) string { return words[key][t] }

// ScopeWords says in Chinese what a scope allows: for lists of consents.
func ScopeWords(s clientapp.Scope) string { return chinese.say(string(s)) }

// tidyCode is a user code without what people put in between, in capitals.
func tidyCode(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r
		}
		return -1
	}, strings.ToUpper(text))
}
