/** Words of the evening desk, zh-CN. */
export const zhDesk = {
  title: '今晚8点半', loading: '正在读取…', again: '再试一次', close: '关闭', cancel: '取消', save: '保存', failed: '没有成功，请再试一次。', back: '返回', more: '更多',
  seconds: '{n} 秒', minutes: '{n} 分钟', people: '{n} 人', grade: '{n} 年级', point: '知识点', all: '全部',
  subjects: { chinese: '语文', maths: '数学', english: '英语', politics: '道德与法治', physics: '物理', chemistry: '化学', biology: '生物', history: '历史', geography: '地理', science: '科学', it: '信息科技', latin: '拉丁语' },
  grades: { 1: '一年级', 2: '二年级', 3: '三年级', 4: '四年级', 5: '五年级', 6: '六年级', 7: '七年级', 8: '八年级', 9: '九年级', 10: '高一', 11: '高二', 12: '高三' },
  door: {
    noTokenTitle: '需要链接', noToken: '请用学校发给你的完整链接打开。链接丢了，请找班主任或学校管理员。',
    connectingTitle: '正在进入', connecting: '正在连接答疑台，通常不到 2 秒。', slow: '还没有连上。请看看网络；会自动再试。',
    refusedTitle: '进不来', refused: '这个链接现在不能用。请向学校要一个新的链接。',
    fencedTitle: '你在另一台设备上打开了答疑台', fenced: '这里先停下了，你的问题和排队的位置都还在。', useHere: '在这里继续',
    closedTitle: '今晚的答疑结束了', closed: '还没有回答的问题，明晚会排在前面。早点休息。', noPageTitle: '这里没有给你的页面', noPage: '请检查链接是否拿错了。',
    lost: '网络断开了，正在自动重连。你的位置会保留 1 分钟。', lostStaff: '网络断开了，正在自动重连。手上的问题会保留 1 分钟。',
  },
  help: {
    key: '求助', coming: '有人来了', title: '需要大人帮忙吗？', text: '有人让你不舒服、问你的联系方式，或你遇到了危险：按下面的红色按钮，值班老师会在 30 秒内过来。不会告诉对方是你按的。', staffText: '遇到不当言行，或觉得学生需要帮助：按下面的红色按钮，值班老师会在 30 秒内过来。学生看不到是谁按的。',
    call: '请值班老师马上过来', leave: '离开这次辅导', back: '不用了', comingTitle: '值班老师正在赶来', comingText: '已经通知了值班老师。你可以等一等，也可以现在就离开。', banner: '值班老师正在赶来。你没有做错什么。',
  },
  photo: {
    photos: '照片', shoot: '拍题目', shootHint: '对准这一道题，光线亮一点', album: '从相册选', another: '再拍一张', add: '添加照片', preparing: '正在处理…', sending: '正在发送照片', nth: '第 {n} 张照片', remove: '拿掉第 {n} 张照片', open: '放大第 {n} 张照片', of: '题目的照片', larger: '放大', smaller: '缩小', turn: '旋转',
    refused: '家长没有同意发照片和语音，请把题目写成文字。', problem: { no_picture: '这个文件不是照片，请换一张。', too_large: '这张照片太大，请拍近一点，只拍这一道题。', no_memory: '手机内存不够了。请关掉几个程序，再拍一次。', too_many: '最多 3 张照片。' },
  },
  voice: {
    voice: '语音', start: '按一下，开始说', stop: '说完了', opening: '正在打开话筒…', own: '你录的语音', remove: '重录', listen: '听语音，{n} 秒',
    problem: { refused: '没有获准使用话筒。点地址栏左侧的图标，把话筒改成“允许”；也可以打字或拍照。', missing: '没有找到话筒。可以打字或拍照。', unsupported: '这个浏览器不能录音。可以打字或拍照。', too_short: '太短了，请按一下，说完再按一下。', failed: '没有录上，请再试一次。' },
  },
  blocked: { title: '有些内容不能发', hint: '标出来的地方请删掉：', kinds: { phone: '电话号码', contact: '联系方式', email: '邮箱', link: '网址', money: '金钱', meeting: '见面或住址' } },
  allDay: '全天',
  origin: { from: '来自 {place}', page: '第 {n} 页', remove: '去掉来源', watch: '看这一段' },
  nav: { ask: '提问', bank: '题库', tonight: '今晚', label: '页面' },
  ask: {
    title: '问一道题', hello: '{name}，哪道题不会？', subject: '学科', steps: '选学科 · 拍题目 · 发送', text: '打字', voice: '语音', words: '写下题目，或者你卡在哪一步', wordsPhoto: '想补充就写一句（可以不写）', formula: '公式写在两个 $ 之间，例如 $x^2+1$',
    how: '怎样回答', live: '老师现在讲给我听', liveHint: '语音和白板，约 10 分钟', written: '写给我看', writtenHint: '不用等，晚上能看到', liveLeft: '今晚还可以当面讲 {n}', noLive: '今晚当面辅导的时间用完了，会写给你看。', notRecorded: '在线辅导都会录音录像，家长没有同意录制，所以老师会写给你看。',
    share: '别的同学也可以看到这道题', shareHint: '不显示你的名字；问同一道题的人可以一起听', tutor: '想请哪位老师', anyTutor: '谁先有空就请谁', options: '更多选择', send: '发送', sending: '正在发送…', sendPhoto: '正在发送照片 {n}%', need: '拍一张照片，或写几个字，就可以发送', needSubject: '先选一个学科', kept: '你写的内容都还在。',
    rooms: '正在开的小课', roomsHint: '老师在给几个同学讲，可以进去听', join: '进去听', until: '到 {time}', shared: '同学也在问', sharedHint: '一样不会？一起听老师讲，不用再拍', follow: '我也想问', followers: '{n} 人也想问', duty: '现在值班', dutyNone: '现在还没有老师值班', freeCount: '{n} 位有空',
  },
  state: {
    submitted: '正在找答案', awaiting_approval: '等老师看一眼', bank_matched: '题库有答案', accepted_answer: '题库已解决', not_helpful: '转给老师', queued: '排队中', offered: '老师正在看', claimed: '老师接了', in_session: '正在讲', answered_async: '有回答了', resolved: '解决了', reopened: '再问一次', expired: '今晚没答上', reported: '已上报', withdrawn: '已撤回', merged: '已合并',
  },
  wait: {
    yours: '你的问题', follows: '你在一起等', sent: '收到了', bank: '查题库', queue: '等老师接', help: '老师讲解', answer: '老师写答案', done: '完成', now: '正在进行',
    submitted: '正在题库里找类似的题', submittedText: '最多 3 秒。找到了马上给你看，找不到就去排队。', approval: '值班老师先看一眼你的题', approvalText: '通常很快，看过就去排队。不用做什么。',
    first: '下一个就是你', ahead: '前面还有 {n} 人', range: '大约 {low}–{high} 分钟', rangeLow: '{high} 分钟以内', soon: '马上', soonText: '有老师空着，正在请他看你的题。', nobody: '现在还没有老师值班', nobodyText: '有老师上岗就会请他看你的题。不想等，可以改成写给你看，或明晚再问。', unknown: '还说不准', unknownText: '今晚的辅导刚开始，人多人少还看不出来。', honest: '按现在的速度估计，只会说个范围。', writtenTitle: '会写给你看', writtenText: '不用等在这里。写好了，这个页面会响一声；{time} 前没写好，明晚排在前面。',
    offered: '{name}正在看你的题', offeredAny: '一位老师正在看你的题', offeredText: '20 秒内会接下来；没空就请下一位，你的位置不变。', claimed: '{name}接了你的题', claimedLive: '正在准备白板，马上开始。请戴上耳机，把纸和笔放在手边。', claimedWritten: '正在写答案，写好了会响一声。',
    keepOpen: '请让这个页面开着。锁屏超过 1 分钟，老师会先帮后面的同学，你的位置还在。', picked: '你在等 {name}', pickedText: '他有空了才轮到你，可能久一些。', unpick: '改成谁先有空就请谁', pick: '只等这位老师', pickTitle: '谁在值班', free: '有空', busy: '正在辅导', followers: '还有 {n} 位同学在等同一道题', withdraw: '不问了', withdrawTitle: '不问了吗？', withdrawText: '你的位置会让给后面的同学。', withdrawFollow: '你不再一起等这道题，别的同学继续。', withdrawYes: '不问了', withdrawNo: '继续等', turnTitle: '轮到你了', bankTitle: '题库有答案', answerTitle: '老师回答了',
    alikeTitle: '同学也在问这道题', alikeText: '看看是不是同一道。是的话一起等，老师一次讲给大家听，你排到那道题的位置。', alikeJoin: '是同一道，一起等', ladderTitle: '已经等了 5 分钟，不想等可以这样', ladderText: '选哪个都行，也可以继续等，位置不变。', ladder: { bank: '看看题库的答案', bankText: '刚才找到过类似的题', written: '让老师写给我看', writtenText: '{time} 前能看到，不用守着', tomorrow: '明晚再问', tomorrowText: '明晚排在前面，不用再拍', join: '进小课一起听', joinText: '{name}正在讲同类的题，{n} 人在听' }, stay: '继续等', meanwhile: '等的时候可以看看', sound: '打开提示音', soundOn: '轮到你时会响一声',
  },
  bankMatch: { title: '题库里有类似的题', text: '看看这个解答。没有帮助就一键转给老师，不用再写一遍。', nth: '第 {n} 个，共 {of} 个', question: '类似的题', answer: '解答', chapter: '看讲解：{title}（{time}）', taught: '课上讲过：{title}（{time}）', helpful: '有帮助，解决了', notHelpful: '没有帮助，请老师看', next: '看下一个', lostEntry: '这个解答打不开，请直接转给老师。' },
  answer: { title: '老师的回答', by: '{name} 的回答', question: '你的问题', followed: '你也想问的题', understood: '看懂了', notYet: '还是不懂', reopenText: '再问一次，排在你原来的位置。一道题可以再问一次。', after: '回答', none: '这道题没有文字回答，是当面讲的。', state: '状态', asked: '{time} 提问' },
  rate: { title: '这次辅导怎么样？', tutor: '{name} 帮了你', understood: '听懂了吗？', patient: '老师有耐心吗？', again: '下次还愿意请这位老师吗？', options: { understood: ['没懂', '懂一些', '懂了'], patient: ['没有', '还行', '很有耐心'], again: ['不愿意', '都可以', '愿意'] }, text: '还想说什么？（可以不写）', textHint: '值班老师看过以后，这位老师才能看到，不显示你的名字。', send: '提交', later: '以后再说', thanks: '谢谢，已经记下了。', textFailed: '三个评价已经记下，文字没有发出去：{why}' },
  live: {
    recorded: '正在录像', recordedHint: '当面辅导都会录像，只有安全专员按规定才能打开。', left: '还剩 {time}', leftLabel: '还剩 {n} 分 {s} 秒', warned: '还有 2 分钟', warnedText: '把最后一步问清楚吧。', many: '小课 · {n} 人', one: '一对一', with: '和 {name}', moderator: '值班老师在这里', coming: '值班老师正在赶来。你可以等，也可以现在离开。', leave: '离开', leaveTitle: '离开这次辅导？', leaveOne: '一对一辅导会结束。没讲完的可以再问一次。', leaveMany: '别的同学继续听。', leaveYes: '离开', leaveNo: '继续', board: '白板和语音', boardSoon: '白板正在打开…', over: '辅导结束了',
  },
  tonight: { title: '今晚的问题', none: '今晚还没有问过', noneText: '问过的题和回答都会留在这里，睡前可以再看一遍。', open: '打开' },
  closed: { title: '现在没有开放', text: '今晚 {hours} 开放。', before: '{time} 开始', beforeText: '可以先在题库里找找，很多题都有解答。', after: '今晚已经结束', afterText: '每天 {hours} 开放。没答上的问题明晚排在前面。', none: '今天不开放', noneText: '请看学校的通知，或者先在题库里找找。', bank: '去题库看看' },
  consent: { title: '还需要家长同意', text: '不满 14 岁的同学第一次用之前，要请家长点一下同意。请家长打开学校发给他的链接，点“同意”，这里会自动打开。', what: '同意以后', list: ['可以拍照提问、和老师语音', '当面辅导会录像，30 天后删除', '家长可以看到每次辅导的时间和老师'], meanwhile: '现在可以先用题库。' },
  bank: {
    title: '题库', search: '搜题目或知识点', any: '不限', none: '没有找到', noneText: '换几个字试试，或者直接问老师。', ask: '去问老师', results: '{n} 道题', more: '再看一些（还有 {n} 道）', start: '写几个字，或选一个学科', rating: '{n} 分', open: '看解答', chapter: '看讲解', question: '题目', answer: '解答', helpful: '有帮助', notHelpful: '没帮助', thanks: '谢谢，记下了。', back: '返回题库', grade: '年级',
    review: '入库审核', reviewText: '这些回答可以帮到更多同学。请去掉名字等个人信息，再入库。', reviewNone: '没有等待审核的回答', reviewNoneText: '老师的回答被评为“懂了”之后，会出现在这里。', publish: '入库', drop: '不入库', questionText: '题目文字', answerText: '解答文字', published: '已入库', dropped: '没有入库', points: '知识点', withPhotos: '题目照片一起入库（没有姓名和人脸）',
  },
  tutor: {
    off: '没有值班', paused: '暂停', lost: '断线', free: '在岗，等题', asked: '有一道题给您', writing: '正在写', claimed: '有题在手', live: '正在当面讲',
    start: '开始值班', startAt: '{time} 起可以开始', pause: '暂停接题', resume: '继续接题', end: '今晚到此', endTitle: '今晚不再接题？', endText: '手上的题还可以做完。', shift: '排班 {hours}', noShift: '今晚没有您的排班。需要上岗，请联系排班老师。',
    offer: '请您看这道题', accept: '接这道题', pass: '请下一位', passHint: '没关系，会马上请下一位老师。', left: '还有 {n} 秒', late: '时间到，已请下一位。', wish: { live: '想当面讲', written: '想看文字回答' }, asking: '{n} 人在问这道题',
    held: '手上的题', heldNone: '手上没有题', idleTitle: '现在没有题给您', idleText: '有题会响一声。也可以从右边领一道。', idleOff: '点“开始值班”，系统会把合适的题请您看。', idlePaused: '您暂停了接题，点“继续接题”再开始。', deadline: '{n} 内要开始', deadlineWritten: '请在 {n} 内写好', oldest: '{time} 问的',
    write: '写回答', answer: '写给学生看的回答', answerHint: '公式写在两个 $ 之间。Ctrl+Enter 发送。', preview: '学生看到的', previewNone: '写的时候，这里是学生看到的样子。', send: '发送回答', sending: '正在发送…', needText: '写几个字，或添加一张照片', explain: '开始当面讲', liveMany: '开小课一起讲（{n} 人）', giveBack: '退回排队', giveBackText: '会请别的老师，学生位置不变。', addVoice: '语音',
    group: '大家都可以领', groupHint: '几位老师没空接的题', written: '等文字回答', writtenHint: '不急，写好就行', claim: '领这道', none: '没有', queues: '排队', live_: '当面讲', written_: '文字', queueNone: '现在没有人排队',
    open: '开一节小课', openHint: '几个同学问同一类题时，一起讲更快', openAfter: '{time} 之后可以再开小课', openSubject: '学科', openGrade: '年级', openGo: '开课', session: '当面辅导', extend: '再延长 10 分钟', end_: '结束辅导', endLiveTitle: '结束这次辅导？', endLiveText: '学生会看到“辅导结束了”，然后可以评价。', question: '学生的题', members: '在场', empty: '还没有学生进来', tally: '今晚', helped: '帮了 {n} 题', liveTime: '当面讲 {n}', points: '本学期积分', cap: '上限 {n}', yuan: '约 {n} 元', ratings: '学生评价（{n} 次）', ratingsNone: '满 5 次评价后显示', understood: '听懂', patient: '耐心', again: '愿意再请', capped: '已到上限', tallyFailed: '积分暂时读不到。', helps: '今晚的辅导', help: { written: '文字', one_to_one: '一对一', one_to_many: '小课' }, keys: '快捷键', keysText: 'A 接 · X 请下一位 · P 暂停 · E 写回答 · Ctrl+Enter 发送 · L 当面讲 · B 退回 · C 领第一道',
  },
  draw: { open: '手写', title: '手写解答', label: '手写的地方：用笔、手指或鼠标写', photo: '写在照片 {n} 上', blank: '白纸', done: '放进回答', noPhoto: '照片打不开，先写在白纸上。' },
  mod: {
    decisions: '要您决定的', cases: '求助', casesNone: '没有求助', due: '还有 {n} 秒', late: '超过 30 秒', lateText: '没有值班老师赶到，辅导已自动结束。', inSession: '第 {n} 场辅导里', inQuestion: '第 {n} 题', nowhere: '不在辅导里', by: '{name} 按的求助', take: '我去处理', enter: '进入辅导', taken: '{name} 在处理', mine: '您在处理', moderator: '值班老师', close: '办结', outcome: '处理结果', outcomes: { unfounded: '误按', settled: '已解决', escalated: '交给安全专员' }, closeHint: '办结后录像仍会保留，只有安全专员两人同意才能打开。',
    approve: '通过', reject: '不通过', approvals: '等您看的题', approvalsNone: '没有要看的题', rejectTitle: '不让这道题通过？', rejectText: '学生会看到题已撤回，可以重新提问。', alike: '像是同一道题', alikeText: '合并以后，问的人一起听一次讲解。', merge: '合并成一道题', keepApart: '不合并', sessions: '正在辅导', sessionsNone: '现在没有辅导', sessionOf: '{name} · {n} 名学生', flagged: '本周见面 {n} 次', endSession: '结束这场', endTitle: '结束这场辅导？', endText: '师生都会看到辅导已结束。', queues: '各队情况', queuesNone: '没有人在排队', oldest: '最久 {n}', tutors: '{free}/{of} 位老师有空', noTutor: '没有老师', waiting: '{n} 人', live: '当面', written: '文字', group: '公共', more: '另有 {n} 条没有列出', flags: '被拦下的文字', flagsNone: '没有被拦下的文字', flagsText: '对方没有看到。请判断要不要关心这位同学或提醒老师。', seen: '看过了', ratings: '待放行的评语', ratingsNone: '没有待放行的评语', letThrough: '放行', hold: '不放行', inside: '您在辅导里', leave: '回到列表', tabs: { now: '现场', texts: '文字', bank: '题库审核' }, role: { pupil: '学生', tutor: '老师' },
  },
  plan: {
    title: '排班', unnamed: '老师（没有登记姓名）', tonight: '今晚', other: '选日期', date: '日期', pickDate: '选一个日期，看那天谁值班。', of: { date: '这一天有单独的排班。', weekday: '这一天按周排班；在这里修改，只改这一天。', nothing: '这一天还没有排班。' }, asWeekday: '恢复成按周排班', weekday: '{day}的排班', roster: '值班表', none: '还没有排老师', noneText: '加第一位老师，学生才有人帮。', add: '加一位老师', change: '修改', remove: '移出', removeTitle: '把 {name} 移出值班表？', removeText: '手上的题会做完，不再接新的。', tutor: '老师', choose: '请选择', subjects: '学科', grades: '年级', from: '从', to: '到', kinds: '方式', kind: { written: '文字', one_to_one: '一对一', one_to_many: '小课' }, needAll: '请选老师、学科、年级和时间。', wrongTime: '结束要晚于开始。', short: '人手不够的地方', enough: '现在每一队都有人', noTutor: '没有老师', wait: '最久等了 {n}', waiting: '{n} 人在等', free: '{n} 位有空', saved: '已保存', standing: '状态', time: '时间', ledger: '积分表', ledgerText: '按区和学校，用于发放劳务。', download: '下载 CSV', legend: '{n} 位老师 · {on} 位在岗', peopleFailed: '老师名单没有读到',
  },
  guard: {
    title: '孩子的答疑', child: '孩子', sessions: '辅导记录', sessionsText: '最近 60 天的当面辅导。文字问答不在这里。', none: '还没有辅导记录', noneText: '孩子用过当面辅导以后，每次的时间和老师会列在这里。', now: '正在进行', ended: '{n}', reason: { closing: '到点结束', finished: '讲完了', limit: '今晚时间用完', moderator: '值班老师结束', no_moderator: '求助后自动结束', consent: '家长不同意录像', pupil_gone: '网络断开', pupil_left: '孩子离开', time: '时间到', tutor_gone: '老师断线' }, kind: { one_to_one: '一对一', one_to_many: '小课' },
    consents: '同意与撤回', consentText: '同意可以随时撤回，撤回以后孩子就不能再用这一项。', purpose: { desk: '使用答疑台', photo: '拍照提问', recording: '当面辅导并录像' }, about: { desk: '姓名（只用名字）、班级、年级，给接题的老师看。保存到学期结束。', photo: '题目的照片，去掉拍摄地点后给接题的老师看。答完 7 天后删除。不同意也可以打字提问。', recording: '当面辅导全程录像，30 天后删除；打开要两位安全专员同意并留下记录。不同意也可以看文字回答。' }, give: '同意', withdraw: '撤回', given: '{time} 同意', notGiven: '还没有同意', withdrawn: '{time} 撤回', withdrawTitle: '撤回“{what}”？', withdrawText: { desk: '马上生效。孩子今晚在等的问题会撤回，发过的内容会删除。', photo: '马上生效。孩子不能再发照片和语音，发过的会删除。', recording: '马上生效。正在进行的当面辅导会结束，问题改为文字回答。' }, officer: '儿童信息保护负责人：{name}', version: '告知书 {n}',
  },
  safe: {
    title: '安全专员', officer: '安全专员', tonight: '今晚的求助', all: '全部案件', none: '没有案件', noneText: '有人按下求助，这里就会出现一条。', flagged: '见面较多的师生', flaggedText: '一周内见面超过两次。只是提示，不影响辅导；请学校了解一下。', flaggedNone: '没有', caseNo: '案件 {n}', reporter: '求助人：{who}', outcome: '结果', open: '处理中', approvals: '打开录像要两位专员同意', approvalOf: '{name}：{reason}', approve: '同意打开', reason: '理由', reasonHint: '写明为什么必须看录像（会留下记录）', second: '还要一位专员同意', ready: '可以打开，到 {time}', watch: '打开录像', recordingNone: '没有录像', log: '记录', locked: '录像已锁定', watched: '每次打开都会留下记录。', own: '您已经同意，要另一位专员同意。', pupil: '学生', tutor: '老师', closeCase: '办结',
  },
} as const
