/** Words of the shared board and of live help. */
export const zhBoard = {
  help: '白板：P 笔，E 橡皮，T 文字，F 公式，H 移动，Ctrl+Z 撤销',
  loading: '正在取白板…', readonly: '老师在写，大家一起看', photo: '题目照片', noPhoto: '题目照片（打不开）',
  tools: '白板工具', pen: '笔', eraser: '橡皮', text: '文字', formula: '公式', hand: '移动', undo: '撤销', redo: '重做', clear: '清空', more: '更多', less: '收起', fit: '全宽', larger: '放大', smaller: '缩小',
  colors: { black: '黑', red: '红', blue: '蓝', green: '绿', marker: '荧光笔' }, color: '颜色', width: '粗细', thin: '细', thick: '粗',
  clearTitle: '清空白板？', clearText: '大家写的字和公式都会擦掉，题目照片留着。可以用“撤销”找回来。', clearYes: '清空', keep: '不清空',
  below: '对方在下面写', above: '对方在上面写', aside: '对方在旁边写',
  where: '点一下白板，写在那里', textTitle: '写文字', formulaTitle: '写公式', textPlaceholder: '写在这里', formulaPlaceholder: '例如 x^2+2x+1=0',
  preview: '预览', done: '放到白板上', change: '改好了', remove: '删除', cancel: '取消', keys: '常用符号',
  me: '我', moderator: '值班老师', pupil: '学生', classmate: '同学', muted: '话筒关',
  here: '在场的人', speaking: '正在说话', waitingTutor: '正在接通老师…', waitingPupil: '正在接通学生…',
  microphone: { on: '关话筒', off: '开话筒', none: '打开话筒', title: '用话筒说话', text: '和老师直接说话，需要用这台设备的话筒。按下面的按钮后，浏览器会问一次，请选“允许”。', staff: '和学生直接说话，需要用这台设备的话筒。', record: '声音和白板会录下来保存 30 天，只有出了事、两位安全负责人都同意时才会打开。', open: '打开话筒', listen: '先只听', refused: '浏览器没有给话筒，仍能听到和看到。要说话：点地址栏的锁，允许话筒，再按“打开话筒”。', missing: '没有找到话筒，仍能听到和看到。', busy: '话筒被别的程序占用。关掉它，再按“打开话筒”。' },
  camera: { on: '关摄像头', off: '开摄像头' }, share: '共享屏幕', unshare: '停止共享', shareFailed: '屏幕没有共享出去，请再试一次。',
  screen: '老师的屏幕', board: '白板', sound: '点这里，听到声音',
} as const

type Words<T> = { readonly [K in keyof T]: T[K] extends string ? string : Words<T[K]> }

export const enBoard: Words<typeof zhBoard> = {
  help: 'Board: P pen, E eraser, T text, F formula, H move, Ctrl+Z undo',
  loading: 'Fetching the board…', readonly: 'The tutor writes, everybody watches', photo: 'Photo of the question', noPhoto: 'Photo of the question (cannot be opened)',
  tools: 'Tools of the board', pen: 'Pen', eraser: 'Eraser', text: 'Text', formula: 'Formula', hand: 'Move', undo: 'Undo', redo: 'Redo', clear: 'Clear', more: 'More', less: 'Less', fit: 'Full width', larger: 'Larger', smaller: 'Smaller',
  colors: { black: 'Black', red: 'Red', blue: 'Blue', green: 'Green', marker: 'Marker' }, color: 'Colour', width: 'Width', thin: 'Thin', thick: 'Thick',
  clearTitle: 'Clear the board?', clearText: 'Everything that anybody has written goes, the photo of the question stays. Undo brings it back.', clearYes: 'Clear', keep: 'Keep it',
  below: 'They write further down', above: 'They write further up', aside: 'They write beside this',
  where: 'Tap the board where it should stand', textTitle: 'Write text', formulaTitle: 'Write a formula', textPlaceholder: 'Write here', formulaPlaceholder: 'e.g. x^2+2x+1=0',
  preview: 'Preview', done: 'Put on the board', change: 'Change it', remove: 'Remove', cancel: 'Cancel', keys: 'Frequent signs',
  me: 'Me', moderator: 'Teacher on duty', pupil: 'Pupil', classmate: 'Pupil', muted: 'Muted',
  here: 'Who is here', speaking: 'speaking', waitingTutor: 'Connecting the tutor…', waitingPupil: 'Connecting the pupil…',
  microphone: { on: 'Mute', off: 'Unmute', none: 'Use microphone', title: 'Speak with your microphone', text: 'To talk with the tutor, this page needs your microphone. After you press the button, the browser asks once: please choose “Allow”.', staff: 'To talk with the pupil, this page needs your microphone.', record: 'Sound and board are recorded and kept for 30 days. They are opened only when something has happened and two safeguarding officers agree.', open: 'Use my microphone', listen: 'Only listen', refused: 'The browser did not give the microphone. You can still hear and see. To speak: tap the lock in the address bar, allow the microphone, then press “Use microphone”.', missing: 'No microphone was found. You can still hear and see.', busy: 'Another program uses the microphone. Close it, then press “Use microphone”.' },
  camera: { on: 'Stop camera', off: 'Start camera' }, share: 'Share screen', unshare: 'Stop sharing', shareFailed: 'The screen is not shared; please try again.',
  screen: 'Tutor\'s screen', board: 'Board', sound: 'Tap here to hear',
}
