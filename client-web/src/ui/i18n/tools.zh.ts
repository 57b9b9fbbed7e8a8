/** The words of the lesson's tools; `tools.en.ts` must have every key. */
export const toolsZh = {
  slides: {
    label: '课件 {title}，第 {page} 页，共 {pages} 页', loading: '正在打开课件…', failed: '课件打不开',
    failedTodo: '声音和画面不受影响。',
  },
  countdown: { left: '倒计时', groups: '分组', over: '时间到' },
  quiz: {
    kind: { single: '单选', multiple: '多选', judge: '判断', number: '填数' },
    yes: '对', no: '错', right: '答对', wrong: '答错', answer: '答案', isRight: '正确',
    question: '第 {n} 题', result: '全体结果', none: '还没有人作答', people: '{n} 人', closed: '已收题', open: '正在作答',
    homes: '居家', missing: '未报数：{rooms}', allTold: '各班都已报数',
    hold: '请举手或举牌，辅讲老师报数', pick: '选好就点', left: '还剩 {time}',
  },
  pulse: {
    title: '信号', none: '没有信号', of: '{n}/{of} 班', back: '知道了', rooms: '{rooms}',
    kind: {
      cannot_hear: '听不清', cannot_see: '看不清', slower: '慢一点', faster: '快一点',
      unclear: '没听懂', done: '已完成', ready: '就绪', help: '请帮忙',
    },
  },
} as const
