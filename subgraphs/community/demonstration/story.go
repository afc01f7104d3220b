package demonstration

import "github.com/citizencloud/citizencloud/subgraphs/community/feedback"

// story is what a case is about.
type story struct{ title, content, question, information, reply string }

const refusal = "您反映的事项不属于社区职责范围，请拨打 12345 热线向主管部门反映。"

// praise is what people write, from one star to five.
var praise = [5]string{"没有解决问题。", "处理得太慢了。", "基本解决了。", "处理得不错，谢谢。", "非常满意，为社区点赞！"}

// tell chooses the story of a case of the class.
func tell(class feedback.FeedbackClass, l *life) story {
	stories := storiesOf[class]
	s := stories[l.draw(len(stories))]
	if s.question == "" {
		s.question, s.information = "请补充具体位置（楼栋、单元或路段）。", "就在小区东门进来第二栋楼旁边。"
	}
	return s
}

var storiesOf = map[feedback.FeedbackClass][]story{
	feedback.Environment: {
		{title: "楼道堆放杂物", content: "三单元楼道里堆放了纸箱和旧家具，影响通行，也有消防隐患。", reply: "已联系物业清理完毕，并张贴了提示。"},
		{title: "垃圾桶满溢未清运", content: "小区西侧的垃圾桶连续两天没有清运，气味很大。", reply: "已督促环卫公司当日清运，并调整了清运频次。"},
		{title: "绿化带内有大量落叶和垃圾", content: "绿化带里落叶和塑料袋很多，希望组织清扫。", reply: "已安排保洁清扫，并纳入每周巡查。"},
		{title: "河道边有异味", content: "沿河步道附近最近异味明显，晚上更重。", reply: "经排查为排水口淤积，已联系水务单位疏浚。"},
	},
	feedback.Facility: {
		{title: "路灯不亮", content: "小区门口的路灯已经三天不亮，晚上出行不便。", reply: "路灯已修复，感谢您的反馈。"},
		{title: "健身器材损坏", content: "中心花园的健身器材松动，老人使用不安全。", reply: "器材已加固，损坏部件已更换。"},
		{title: "人行道地砖松动", content: "人行道多处地砖松动，雨天容易溅水绊倒。", reply: "已报市政维修并于现场重新铺设。"},
		{title: "无障碍坡道被占用", content: "社区服务站旁的无障碍坡道经常停满共享单车。", reply: "已清理并划线，联系企业加强调度。"},
	},
	feedback.Safety: {
		{title: "消防通道被占用", content: "消防通道长期停放私家车，存在安全隐患。", reply: "已劝离车辆并加装隔离桩。"},
		{title: "井盖松动", content: "小区主路有一处井盖松动，车辆经过时响动很大。", reply: "井盖已更换加固。"},
		{title: "电动车进楼充电", content: "有住户把电动车推进电梯上楼充电。", reply: "已上门劝导，并在楼下增设充电桩。"},
	},
	feedback.Parking: {
		{title: "非机动车乱停放", content: "地铁口非机动车乱停放，行人只能走机动车道。", reply: "已规范停放区域并安排志愿者引导。"},
		{title: "小区停车位被地锁占用", content: "公共车位被私自安装地锁，希望处理。", reply: "已联合物业拆除违规地锁。"},
		{title: "路口缺少减速标识", content: "学校旁的路口车速快，孩子过马路危险，建议增设减速标识。", reply: "已报交警部门，减速标识已安装。"},
	},
	feedback.Property: {
		{title: "电梯故障频繁", content: "二号楼电梯一个月内停运四次，维修不彻底。", reply: "已督促物业更换部件并公示维保记录。"},
		{title: "物业收费不透明", content: "希望物业公示公共收益的收支情况。", reply: "物业已在公告栏公示上季度收支。"},
		{title: "门禁系统损坏", content: "单元门门禁损坏一周，陌生人可随意进出。", reply: "门禁已修复并重新录入权限。"},
	},
	feedback.Neighbourhood: {
		{title: "楼上夜间噪声", content: "楼上住户夜间十一点后仍有较大噪声，多次沟通无果。", reply: "调解员已上门调解，双方达成约定。"},
		{title: "广场舞音量过大", content: "晚上广场舞音量过大，影响孩子学习休息。", reply: "已与队伍负责人约定时间和音量。"},
		{title: "宠物不牵绳", content: "小区内有人遛狗不牵绳，老人和孩子害怕。", reply: "已上门劝导并开展文明养犬宣传。"},
	},
	feedback.Welfare: {
		{title: "独居老人需要助餐", content: "楼里有一位独居老人行动不便，希望提供助餐服务。", reply: "已纳入助餐名单，明日起送餐上门。"},
		{title: "建议延长托管时间", content: "社区儿童托管五点结束，双职工家庭接送不便。", reply: "经协调，托管时间延长至六点半。"},
		{title: "残疾人辅具申请", content: "家人需要轮椅，不清楚如何申请辅具补贴。", reply: "已协助提交申请，预计五个工作日内办结。"},
	},
	feedback.Consultation: {
		{title: "居住证办理咨询", content: "租房居住，请问办理居住证需要哪些材料？", reply: "请携带身份证与租赁合同到社区服务站办理。"},
		{title: "老旧小区改造进度", content: "想了解本小区加装电梯的政策和进度。", reply: "方案公示中，可在公告栏查看，欢迎提出意见。"},
		{title: "医保缴费咨询", content: "灵活就业人员如何缴纳城乡居民医保？", reply: "可在手机端“医保缴费”服务中办理。"},
	},
	feedback.Other: {
		{title: "建议增设便民座椅", content: "公交站附近没有座椅，老人候车不便。", reply: "已列入微更新项目，下月施工。"},
		{title: "希望举办旧物交换活动", content: "建议社区定期举办旧物交换活动。", reply: "已纳入下季度活动计划。"},
	},
}
