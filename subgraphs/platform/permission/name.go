package permission

import "github.com/citizencloud/citizencloud/foundation/access"

var roleNames = map[access.Role]string{
	access.CommunityWorker: "社区工作者", access.Supervisor: "督办员", access.Leader: "领导", access.CatalogueEditor: "服务目录管理员",
	access.SupplyReviewer: "供需审核员", access.PaymentOfficer: "支付管理员", access.SystemAdmin: "系统管理员", access.SecurityAdmin: "安全保密管理员", access.AuditAdmin: "安全审计员",
	access.Developer: "应用开发者",
}

var actionNames = map[access.Action]string{
	access.FeedbackView: "查看意见反馈", access.FeedbackAssign: "分派意见反馈", access.FeedbackHandle: "办理意见反馈", access.FeedbackReject: "不予受理意见反馈",
	access.ActivityManage: "管理社区活动", access.BoardView: "查看数据大屏", access.ServiceManage: "管理服务目录", access.ParticipantView: "查看供需主体",
	access.ParticipantAudit: "审核供需主体", access.OfferingReview: "审核社区服务", access.DemandReview: "审核需求", access.DemandPublish: "发布需求",
	access.WorkerView: "查看工作人员", access.WorkerManage: "管理工作人员", access.CitizenView: "查看市民", access.NoticeSend: "发送通知",
	access.WorkdayManage: "管理工作日历", access.UnitManage: "管理机构和岗位", access.RoleGrant: "设置权限和授予角色", access.PermissionView: "查看权限矩阵和机构变更",
	access.AuditView: "查看审计日志", access.AuditOfAdmins: "查看三员的审计日志", access.WorkflowView: "查看流程实例", access.WorkflowManage: "管理流程定义",
	access.WorkflowReview: "审核流程定义", access.GatewayManage: "管理网关规则", access.PlaceManage: "管理周边地点", access.LogView: "查看日志", access.MessageReview: "审核消息模板", access.CitizenTag: "维护市民标签",
	access.FileHold: "文件法律保全", access.FileReview: "处置隔离文件",
	access.RealNameView: "查看实名核验", access.RealNameExamine: "初核线下实名", access.RealNameDecide: "复核线下实名", access.RealNameRevoke: "调低实名等级",
	access.RealNameReveal: "查看实名的完整信息", access.RealNameCounters: "管理线下核验点",
	access.PaymentView: "查看支付订单", access.RefundReview: "审核退款", access.MerchantManage: "申请商户入驻", access.MerchantReview: "审核商户", access.Reconcile: "处理对账差异",
	access.ClientManage: "管理本单位的第三方应用", access.ClientReview: "审核和停用第三方应用",
}

// RoleName is the role in Chinese; the code itself where it has no name yet.
func RoleName(role access.Role) string {
	if name, ok := roleNames[role]; ok {
		return name
	}
	return string(role)
}

// ActionName is the action in Chinese; the code itself where it has no name yet.
func ActionName(action access.Action) string {
	if name, ok := actionNames[action]; ok {
		return name
	}
	return string(action)
}
