/** Words of instructions, templates and labels around a question: they say nothing about which question it is. */
export const wrapperWords = new Set(
  (
    'a an the and or of to in is are be as at by for from with on if it its this that these those you your yours i we me my our us ' +
    'please answer answers answering answered question questions following follow problem problems query task prompt instruction ' +
    'instructions input output response respond responses reply solve solution solutions choose choosing chosen select selecting ' +
    'selection pick option options choice choices letter letters correct right best most appropriate likely one only single all give ' +
    'given giving provide provided providing explain explanation explanations explaining reason reasons reasoning rationale think ' +
    'thinking thought step steps carefully detail detailed details briefly brief concise short final conclude conclusion ' +
    'start finish box boxed within tags tag format formatted markdown json here there below above next then before after ' +
    'first now let lets do does not dont can could will would should must need want help helpful assistant user system ' +
    'human ai model expert experts doctor doctors physician clinician professional professor teacher student students tutor exam exams ' +
    'examination tests quiz board boards medical medicine biomedical usmle neet pg ' +
    'aiims mcq mcqs multiple multi item items number no q a b c d e f g h i j ans knowledge topic subject practice ' +
    'sample example examples based using use used about act role play imagine suppose consider read carefully analyze analyse analysis ' +
    'show work working write writing which yes ' +
    'today thanks thank hi hello hey dear sir madam sure ok okay im preparing studying asked came across found get stuck know tell ' +
    'could anyone someone also so and but just really im sure not be as detailed possible line lines new inst im sys bos eos ' +
    'im im end endoftext assistant eot id header begin of text ' +
    'mark marks point points ref year exam paper jan feb mar apr may jun jul aug sep sept oct nov dec ' +
    'curious artificial intelligence polite chat between gives respectful honest describes appropriately completes request paired ' +
    'context further round turn message conversation truthfully mean means case scenario vignette ' +
    'veuillez répondre à la suivante en expliquant votre raisonnement étape par merci de justifier réponse réponses le les des un une ' +
    'bitte beantworten sie die folgende frage und begründen ihre antwort ausführlich geben nur den buchstaben der das ' +
    'por favor responda siguiente pregunta examen razone paso explique porque el las los opción opciones respuesta ' +
    'responda seguinte questão explique raciocínio indique apenas letra o os as uma resposta ' +
    'rispondi alla seguente domanda ragionando passo dopo indica solo lettera il della risposta ' +
    'beantwoord volgende vraag en leg je redenering uit geef alleen het ' +
    'hãy trả lời câu hỏi sau và giải thích từng bước chỉ đưa ra chữ cái lütfen aşağıdaki soruyu adım düşünerek cevaplayın sadece harfi yazın ' +
    'jawab pertanyaan berikut jelaskan langkah demi '.normalize('NFD').replace(/\p{M}/gu, '') +
    '请 回 答 以 下 问 题 选 择 正 确 的 选 项 并 给 出 理 由 您 你 是 一 名 医 生 请 问'
  ).split(' '),
);

/** Words that are put into a question or left out of it, and leave it the same question. */
export const fillers = new Set(
  'really actually please also clearly likely usually typically often generally mostly commonly probably then again overall today very just well now indeed basically currently thus so'.split(
    ' ',
  ),
);

/** Words that join others: one in place of another asks the same. */
export const joints = new Set(
  'a an the of in to for with on at by from within into upon having is are was were'.split(' '),
);

/** Words that turn a question into its opposite. */
export const negations = new Set(
  'not no none never nor neither without except excepting incorrect false wrong untrue least unlikely lack lacks absent 不 非 无 没 除 错'.split(
    ' ',
  ),
);
