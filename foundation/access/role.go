package access

// Role is a named set of actions that a worker's assignment carries.
type Role string

// Action is one thing that may be allowed: concept.verb.
type Action string

// The roles of the first version. The data scope comes from the unit's area.
const (
	CommunityWorker Role = "COMMUNITY_WORKER" // 社区工作者: handles cases, runs activities
	Supervisor      Role = "SUPERVISOR"       // 督办员 of street and district: watches, returns, reopens
	Leader          Role = "LEADER"           // 领导: boards and statistics
	CatalogueEditor Role = "CATALOGUE_EDITOR" // 服务目录管理员 of the city
	SupplyReviewer  Role = "SUPPLY_REVIEWER"  // 供需审核员: approves participants and services
	PaymentOfficer  Role = "PAYMENT_OFFICER"  // 支付管理员: merchants, refunds, reconciliation
	SystemAdmin     Role = "SYSTEM_ADMIN"     // 系统管理员
	SecurityAdmin   Role = "SECURITY_ADMIN"   // 安全保密管理员
	AuditAdmin      Role = "AUDIT_ADMIN"      // 安全审计员
	Developer       Role = "DEVELOPER"        // 应用开发者: applies for third-party applications of the own unit
)

// The actions. A resolver asks for exactly one.
const (
	FeedbackView     Action = "feedback.view"
	FeedbackAssign   Action = "feedback.assign"
	FeedbackHandle   Action = "feedback.handle"
	FeedbackReject   Action = "feedback.reject"
	ActivityManage   Action = "activity.manage"
	BoardView        Action = "board.view"
	ServiceManage    Action = "service.manage"
	ParticipantView  Action = "participant.view"
	ParticipantAudit Action = "participant.review"
	OfferingReview   Action = "offering.review"
	DemandReview     Action = "demand.review"
	DemandPublish    Action = "demand.publish"
	WorkerView       Action = "worker.view"
	WorkerManage     Action = "worker.manage"
	CitizenView      Action = "citizen.view"
	CitizenReveal    Action = "citizen.reveal" // a citizen's number in full, for a purpose, recorded
	NoticeSend       Action = "notification.send"
	WorkdayManage    Action = "workday.manage"
	UnitManage       Action = "unit.manage"          // organisation units and the posts in them
	RoleGrant        Action = "role.grant"           // the roles and data scopes of posts, who gets them, lost second factors
	PermissionView   Action = "permission.view"      // the permission matrix, and what the three administrators changed in institutions
	AuditView        Action = "audit.view"           // the whole audit log
	AuditOfAdmins    Action = "audit.administrators" // in the audit log what the three administrators did
	WorkflowView     Action = "workflow.view"        // all workflow instances of the scope
	WorkflowManage   Action = "workflow.manage"      // draft, publish and retire definitions
	WorkflowReview   Action = "workflow.review"      // review a drafted definition; city level
	FileHold         Action = "file.hold"            // legal holds on files of the scope
	GatewayManage    Action = "gateway.manage"       // the gateway's rules: limits, breakers, what is switched off
	PlaceManage      Action = "place.manage"         // the places of the area and their opening hours
	MessageReview    Action = "message.review"       // approve and retire the templates of messages
	CitizenTag       Action = "citizen.tag"          // the tags of citizens, by which messages reach them
	LogView          Action = "log.view"             // the logs of all processes and clients
	FileReview       Action = "file.review"          // quarantined files of the scope: release or delete
	RealNameView     Action = "realname.view"        // real-name verifications of the scope, masked
	RealNameExamine  Action = "realname.examine"     // file and examine cases at counters: the first pair of eyes
	RealNameDecide   Action = "realname.decide"      // decide on cases that another one examined: the second
	RealNameRevoke   Action = "realname.revoke"      // bring a citizen's level down
	RealNameReveal   Action = "realname.reveal"      // name and number in plain, for a purpose, recorded
	RealNameCounters Action = "realname.counters"    // the counters of the scope and their slots
	PaymentView      Action = "payment.view"         // payment orders, refunds, differences and settlement sheets of the scope
	RefundReview     Action = "refund.review"        // approve or refuse refunds
	MerchantManage   Action = "merchant.manage"      // apply for merchants, in their name
	MerchantReview   Action = "merchant.review"      // take merchants in, suspend and close them
	Reconcile        Action = "payment.reconcile"    // handle differences with the channels, confirm settlement sheets
	ClientManage     Action = "client.manage"        // the third-party applications of the own unit
	ClientReview     Action = "client.review"        // review, launch, suspend and retire third-party applications
)

var grants = map[Role][]Action{
	CommunityWorker: {FeedbackView, FeedbackAssign, FeedbackHandle, FeedbackReject, ActivityManage, BoardView, ParticipantView, WorkerView, CitizenView, CitizenReveal, CitizenTag, NoticeSend, DemandPublish, PlaceManage,
		RealNameView, RealNameExamine, RealNameReveal, RealNameCounters},
	Supervisor: {FeedbackView, FeedbackAssign, FeedbackReject, BoardView, ParticipantView, WorkerView, WorkflowView, NoticeSend, MessageReview,
		RealNameView, RealNameDecide, RealNameRevoke, RealNameReveal},
	Leader:          {FeedbackView, BoardView, WorkerView, WorkflowView, WorkflowReview, NoticeSend, MessageReview, PaymentView, MerchantReview},
	CatalogueEditor: {ServiceManage, PlaceManage, ClientManage},
	PaymentOfficer:  {PaymentView, RefundReview, MerchantManage, MerchantReview, Reconcile},
	SupplyReviewer:  {ParticipantView, ParticipantAudit, OfferingReview, DemandReview},
	SystemAdmin:     {WorkerView, WorkerManage, WorkdayManage, UnitManage, PermissionView, AuditOfAdmins, WorkflowManage, GatewayManage, LogView, ClientReview},
	SecurityAdmin:   {WorkerView, RoleGrant, PermissionView, AuditOfAdmins, LogView, FileHold, FileReview, ClientReview},
	AuditAdmin:      {WorkerView, PermissionView, AuditOfAdmins, AuditView},
	Developer:       {ClientManage},
}
