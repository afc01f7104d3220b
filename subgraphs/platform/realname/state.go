package realname

import "slices"

// VerificationState is where a verification stands.
type VerificationState string

// The states. Without people: CREATED→PROCESSING→VERIFIED|FAILED; offline:
// CREATED→SUBMITTED→IN_REVIEW→VERIFIED|REJECTED; what was VERIFIED ends as
// EXPIRED or REVOKED. The citizen withdraws what nobody has looked at yet.
const (
	Created    VerificationState = "CREATED"
	Processing VerificationState = "PROCESSING"
	Submitted  VerificationState = "SUBMITTED"
	InReview   VerificationState = "IN_REVIEW"
	Verified   VerificationState = "VERIFIED"
	Failed     VerificationState = "FAILED"
	Rejected   VerificationState = "REJECTED"
	Withdrawn  VerificationState = "WITHDRAWN"
	Expired    VerificationState = "EXPIRED"
	Revoked    VerificationState = "REVOKED"
)

// States are all states.
var States = []VerificationState{Created, Processing, Submitted, InReview, Verified, Failed, Rejected, Withdrawn, Expired, Revoked}

// The changes that there are, without people and at the counter; any other is
// refused. FAILED of a counter is an identity that another account has, or
// somebody who never came.
var (
	online = map[VerificationState][]VerificationState{
		Created:    {Processing, Withdrawn, Failed},
		Processing: {Verified, Failed},
		Verified:   {Expired, Revoked},
	}
	offline = map[VerificationState][]VerificationState{
		Created:   {Submitted, Withdrawn, Failed},
		Submitted: {InReview, Withdrawn, Failed},
		InReview:  {Verified, Rejected, Failed},
		Verified:  {Expired, Revoked},
	}
)

// May says whether a verification of the way can go from one state to the other.
func (m VerificationMethod) May(from, to VerificationState) bool {
	if m == Offline {
		return slices.Contains(offline[from], to)
	}
	return slices.Contains(online[from], to)
}

// Open says whether it is not decided yet.
func (s VerificationState) Open() bool {
	return s == Created || s == Processing || s == Submitted || s == InReview
}

// VerificationAction is what happened to a verification.
type VerificationAction string

// The actions.
const (
	Begin    VerificationAction = "BEGIN"
	Judge    VerificationAction = "JUDGE"
	Submit   VerificationAction = "SUBMIT"
	Examine  VerificationAction = "EXAMINE"
	Decide   VerificationAction = "DECIDE"
	Withdraw VerificationAction = "WITHDRAW"
	GiveUp   VerificationAction = "GIVE_UP" // by time
	Expire   VerificationAction = "EXPIRE"
	Replace  VerificationAction = "REPLACE" // by a newer one of the same identity
	Lower    VerificationAction = "LOWER"
	Displace VerificationAction = "DISPLACE" // by a stronger proof of another account
	Merge    VerificationAction = "MERGE"
)

// VerificationFailure is why a verification failed; "" for no failure.
type VerificationFailure string

// The failures.
const (
	NameMismatch  VerificationFailure = "NAME_MISMATCH"  // name and number do not belong together
	NotFound      VerificationFailure = "NOT_FOUND"      // the register knows no such number
	NotLive       VerificationFailure = "NOT_LIVE"       // nobody alive was seen
	FaceMismatch  VerificationFailure = "FACE_MISMATCH"  // somebody else was seen
	NotCertified  VerificationFailure = "NOT_CERTIFIED"  // the third party does not certify it
	IdentityTaken VerificationFailure = "IDENTITY_TAKEN" // another account has the identity
	OtherIdentity VerificationFailure = "OTHER_IDENTITY" // this account has another identity
	ProviderAway  VerificationFailure = "PROVIDER_AWAY"  // no judgement came
	TimedOut      VerificationFailure = "TIMED_OUT"      // the citizen did not go on
	NoShow        VerificationFailure = "NO_SHOW"        // nobody came to the counter
)

var messages = map[VerificationFailure]string{
	NameMismatch:  "姓名与证件号码不一致，请核对后重试，或到线下核验点办理",
	NotFound:      "没有查到该证件号码，请核对后重试，或到线下核验点办理",
	NotLive:       "没有检测到真人，请在光线充足处重试，或改用其他方式",
	FaceMismatch:  "人脸与证件不一致，请重试，或改用其他方式",
	NotCertified:  "第三方账户未实名，或实名信息与所填不一致，请改用其他方式",
	IdentityTaken: "该证件已用于另一个账户的实名认证。如为您本人的账户，请合并账户；如非本人所为，请到线下核验点办理",
	OtherIdentity: "本账户已用另一证件实名认证，不能再认证其他证件",
	ProviderAway:  "核验服务暂时没有答复，请稍后重试，或改用其他方式",
	TimedOut:      "核验已超时，请重新开始",
	NoShow:        "您未在预约时间到场，预约已取消，可重新预约",
}

// VerificationStep is what somebody may do after a failure.
type VerificationStep string

// The steps.
const (
	Retry         VerificationStep = "RETRY"
	UseThirdParty VerificationStep = "USE_THIRD_PARTY"
	UseFace       VerificationStep = "USE_FACE"
	GoOffline     VerificationStep = "GO_OFFLINE"
	MergeAccounts VerificationStep = "MERGE_ACCOUNTS" // LinkAccount, BindMobile
)

// Failure is why it failed; nil for no failure.
func (v *IdentityVerification) Failure() *VerificationFailure {
	if v.FailureCode == "" {
		return nil
	}
	return &v.FailureCode
}

// Message says the failure or the refusal to people; nil where there is none.
func (v *IdentityVerification) Message() *string {
	text := messages[v.FailureCode]
	if v.State == Rejected {
		text = "未通过线下核验：" + v.Reason + "。补正后可重新申请"
	}
	if text == "" {
		return nil
	}
	return &text
}

// NextSteps are the ways on after a failure or a refusal. A face is never the
// only way.
func (v *IdentityVerification) NextSteps() []VerificationStep {
	switch {
	case v.State == Rejected:
		return []VerificationStep{GoOffline, UseFace, UseThirdParty}
	case v.State != Failed || v.FailureCode == OtherIdentity:
		return []VerificationStep{}
	case v.FailureCode == IdentityTaken:
		return []VerificationStep{MergeAccounts, GoOffline}
	}
	steps := []VerificationStep{Retry}
	for method, step := range map[VerificationMethod]VerificationStep{ByFace: UseFace, ByThirdParty: UseThirdParty, Offline: GoOffline} {
		if method != v.Method {
			steps = append(steps, step)
		}
	}
	slices.Sort(steps)
	return steps
}
