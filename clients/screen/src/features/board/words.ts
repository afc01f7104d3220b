// The words and colours of the board. The records are typed by the schema's
// enums: a new value stops the type check until it has its word here.
import type { AreaLevel, FeedbackAction, FeedbackClass, FeedbackState } from '../../gql/operations';

export const className: Record<FeedbackClass, string> = {
  ENVIRONMENT: '环境卫生',
  FACILITY: '公共设施',
  SAFETY: '公共安全',
  PARKING: '停车交通',
  PROPERTY: '物业服务',
  NEIGHBOURHOOD: '邻里关系',
  WELFARE: '民生保障',
  CONSULTATION: '政策咨询',
  OTHER: '其他',
};

/** Whether a case in this state still has to be handled. */
export const isOpen: Record<FeedbackState, boolean> = {
  SUBMITTED: true,
  ASSIGNED: true,
  RETURNED: true,
  IN_PROGRESS: true,
  WAITING_INFO: true,
  REOPENED: true,
  REPLIED: false,
  REJECTED: false,
  DUPLICATE: false,
  CLOSED: false,
};

/** In the order of handling. The colour tells who has to act: amber waits for
 * a worker, blue is being worked on, green is answered, grey was not taken up,
 * red came back. */
export const stateWord: Record<FeedbackState, { name: string; colour: string }> = {
  SUBMITTED: { name: '待受理', colour: '#ffc54d' },
  ASSIGNED: { name: '已分派', colour: '#ff9d45' },
  RETURNED: { name: '已退回', colour: '#e87b5a' },
  IN_PROGRESS: { name: '办理中', colour: '#3d9bff' },
  WAITING_INFO: { name: '待补充', colour: '#8f9dff' },
  REPLIED: { name: '已答复', colour: '#2fd9a8' },
  REOPENED: { name: '重新打开', colour: '#ff6b81' },
  REJECTED: { name: '不予受理', colour: '#8797b3' },
  DUPLICATE: { name: '重复件', colour: '#63748f' },
  CLOSED: { name: '已关闭', colour: '#1f9d8a' },
};

export const actionName: Record<FeedbackAction, string> = {
  SUBMIT: '提交',
  ASSIGN: '分派',
  TAKE: '受理',
  RETURN: '退回',
  REQUEST_INFO: '询问',
  SUPPLY_INFO: '补充',
  REPLY: '答复',
  REJECT: '不受理',
  MARK_DUPLICATE: '并件',
  REOPEN: '重开',
  CLOSE: '关闭',
  RATE: '评价',
};

/** What the children of an area of this level are called. */
export const childrenName: Record<AreaLevel, string> = {
  CITY: '区（市、县）',
  DISTRICT: '街道',
  STREET: '社区',
  COMMUNITY: '网格',
  GRID: '下级区域',
};

export const colours = {
  submitted: '#4db5ff',
  closed: '#2fd9a8',
  grid: 'rgba(120, 165, 220, 0.16)',
  label: '#a9bfdc',
  text: '#eaf3ff',
  panel: '#0b1d38',
};

/** The fonts of style/base.css, for what is drawn on a canvas. */
export const fonts = "'Barlow', 'Noto Sans CJK SC', 'Noto Sans SC', 'Source Han Sans SC', 'PingFang SC', 'Microsoft YaHei', sans-serif";
