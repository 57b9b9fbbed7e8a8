/** Words of homes: hand, question, help. */
export const zhLearner = {
  raise: '举手', lower: '放下手', up: '已举手 {time}', waiting: '已举手，等老师同意',
  classChip: '{n} 人 · {teacher}', reach: '找本班老师',
  help: { cannot_hear: '我听不清', cannot_see: '我看不清', question: '我有问题', other: '请老师找我' },
  helpTitle: '只有本班老师看到', helpSent: '已告诉本班老师', helpAnswered: '{name} 回复了', helpAnswer: '{name}：{text}',
  close: '关闭',
  carry: { button: '带到今晚8点半', hours: '{from}–{to} 开放', until: '现在开放，到 {to}', allDay: '现在就可以问' },
  choose: '选一个，结束前可以改', chooseMany: '可以选几个，结束前可以改', typeNumber: '写下你的答案',
  sent: '已交，结束前可以改', send: '交答案', closed: '答题结束，等老师公布', notAnswered: '你没有作答',
  right: '答对了', wrong: '再想一想',
  groupWork: '小组活动', away: '请稍等，老师马上回来',
  chat: '公屏', chatSend: '发送', chatPlaceholder: '大家都看得到，最多 200 字',
  tapName: '点自己的名字', handsOf: '{n} 人举手', whoAnswers: '谁来答？点自己的名字', answered: '已答', notYet: '未答',
} as const

export const enLearner: { readonly [K in keyof typeof zhLearner]: (typeof zhLearner)[K] extends string ? string : { readonly [L in keyof (typeof zhLearner)[K]]: string } } = {
  raise: 'Raise hand', lower: 'Lower hand', up: 'Hand up {time}', waiting: 'Hand up, your teacher decides',
  classChip: '{n} pupils · {teacher}', reach: 'Ask my teacher',
  help: { cannot_hear: 'I cannot hear', cannot_see: 'I cannot see', question: 'I have a question', other: 'Please contact me' },
  helpTitle: 'Only the teacher of your class sees this', helpSent: 'Your teacher has been told', helpAnswered: '{name} answered', helpAnswer: '{name}: {text}',
  close: 'Close',
  carry: { button: 'Bring it to the desk tonight', hours: 'open {from}–{to}', until: 'open now, until {to}', allDay: 'you may ask now' },
  choose: 'Choose one; you may change it until the end', chooseMany: 'Choose all that fit; you may change it until the end', typeNumber: 'Write your answer',
  sent: 'Sent; you may change it until the end', send: 'Send', closed: 'Over; the teacher will show the result', notAnswered: 'You did not answer',
  right: 'Right', wrong: 'Think again',
  groupWork: 'Group work', away: 'One moment, the teacher will be back',
  chat: 'Chat', chatSend: 'Send', chatPlaceholder: 'Everybody sees it; up to 200 characters',
  tapName: 'Tap your name', handsOf: '{n} hands up', whoAnswers: 'Who answers? Tap your name', answered: 'answered', notYet: 'not yet',
}
