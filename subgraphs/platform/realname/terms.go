package realname

import "github.com/citizencloud/citizencloud/foundation/fault"

// RealNameTerms 告知书 is what somebody is told, and agrees to, before any
// personal data is taken (PIPL, articles 14, 17, 29). The version names the
// text: whoever changes a text gives it another version.
type RealNameTerms struct {
	Method  VerificationMethod
	Version string
	Purpose string
	Text    string
}

const (
	common = "为核实账户的持有人，我们收集您的姓名、证件类型与证件号码，加密保存，仅用于实名认证和您所办理、须实名的服务。您可以拒绝，拒绝不影响无须实名的服务；您可以随时撤回同意，撤回后实名认证随之取消。"
	erased = "核验作出结论后，所提交的照片与材料即按期删除，不作他用。"
)

// terms are the texts in force.
var terms = map[VerificationMethod]RealNameTerms{
	ByRegister: {ByRegister, "2026-03-01/register", "与人口库比对姓名和证件号码",
		common + "本方式将姓名与证件号码交人口库比对。"},
	ByFace: {ByFace, "2026-03-01/face", "人脸核验（敏感个人信息，单独同意）",
		common + "本方式须拍摄您的面部照片，属于敏感个人信息，交人脸核验机构判断是否为本人，并将姓名与证件号码交人口库比对。" + erased + "您也可以选择第三方账户或线下核验，无须拍摄人脸。"},
	ByThirdParty: {ByThirdParty, "2026-03-01/third-party", "与微信或支付宝的实名信息比对（单独同意）",
		common + "本方式将姓名与证件号码提供给您所选的微信或支付宝，由其判断与您在该平台的实名信息是否一致。"},
	Offline: {Offline, "2026-03-01/offline", "线下核验",
		common + "本方式须提交证件等材料的影像，由两名工作人员先后核对。" + erased},
}

// TermsOf gives the text in force of the way.
func TermsOf(method VerificationMethod) (*RealNameTerms, error) {
	t, ok := terms[method]
	if !ok {
		return nil, fault.Invalid("method", "没有这一核验方式")
	}
	return &t, nil
}
