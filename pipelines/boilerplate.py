"""The lines and blocks of a page that are not its article: one vocabulary for HTML bodies and for plain text copies.

Every rule names a cause (a label, a promotion, a credit line), never a site. Languages are those with labelled pages or
that a translator could vouch for; a word stands here only if it opens or fills a whole line.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from pipelines.metadata import AGENCIES, day_in_words, fold

PROSE_LENGTH = 80
"""Characters from which a line with a sentence's end is prose; the shortest real opening paragraphs seen have 85."""

LABELS = r"""
read (?:more|also|next|the full story)(?: (?:on|about|at|here|from|in)\b.{0,60})?|more to read|further reading|see (?:also|more)|also read|also see|also on \S+|related(?: (?:stor(?:y|ies)|posts?|articles?|content|coverage|links?|topics?|news|reading|video))?|more:|also:
|don['’]?t miss|you (?:may|might|could) (?:also )?(?:like|enjoy|be interested in)|recommended(?: (?:videos?|for you|reading|stories|articles))?|most (?:read|popular|viewed)(?: .{0,30})?|more (?:on|from|about) .{2,60}|popular|trending(?: now)?|latest(?: news| stories| headlines)?|top stories|editor['’]?s['’]? picks|story continues below.{0,30}|article continues (?:below|after).{0,40}|continue reading.{0,40}|what to read next|up next|read next|watch(?: (?:next|more|now|live))?|listen(?: now| to this article)?|story timeline|in this article|table of contents
|lesen sie (?:auch|mehr|dazu|hier|weiter).{0,60}|lesen sie mehr zu .{0,40}|auch interessant|mehr (?:zum thema|dazu|zu diesem thema|lesen|nachrichten).{0,30}|mehr aus .{2,40}|weiterlesen|zum artikel|zum thema|das könnte sie auch interessieren|empfehlungen der redaktion|meistgelesen.{0,20}|siehe auch|passend dazu|empfohlener (?:redaktioneller|externer) inhalt|externer inhalt|link zum \S+-inhalt
|(?:à )?lire (?:aussi|également|la suite)|voir aussi|sur le même (?:sujet|thème)|à découvrir|articles? liés?|les plus lus|nos recommandations|pour aller plus loin
|leggi anche|leggi tutto|vedi anche|potrebbe interessarti|articoli correlati|i più letti|approfondimenti?
|le[ea] (?:también|más|además)|leer más|ver también|te puede interesar|también te puede interesar|te recomendamos|más información|noticias relacionadas|artículos relacionados|lo más (?:leído|visto)
|leia (?:também|mais|ainda)|ler mais|veja (?:também|mais)|saiba mais|notícias relacionadas|mais lidas|relacionad[oa]s|recomendad[oa]s
|lees (?:ook|meer|verder)|bekijk ook|meer over .{2,40}|meest gelezen|les (?:også|mer)|læs (?:også|mere)|läs (?:också|även|mer|också)|se også|mest (?:lest|læst|läst)|lue (?:myös|lisää)|katso myös|luetuimmat
|czytaj (?:więcej|też|także|również|dalej)|zobacz (?:też|także|również|więcej)|przeczytaj (?:też|także|również)|polecamy|najczęściej czytane|čtěte (?:také|více|též)|čítajte (?:aj|viac)|mohlo by vás zajímat|související(?: články)?|přečtěte si(?: také)?|článek
|olvass[ao]? (?:tovább|el)|kapcsolódó(?: cikk(?:ek)?)?|citește (?:și|mai mult)|citiţi şi|vezi și|прочетете още|вижте още|читайте (?:также|ещё|еще|далее|нас)?|смотрите также|по теме|материалы по теме|читайте також|дивіться також|διαβάστε (?:επίσης|ακόμη|περισσότερα)|δείτε επίσης
|ayrıca (?:oku(?:yun)?|bkz)|ilgili haber(?:ler)?|bunlar da ilginizi çekebilir|devamını oku|baca (?:juga|selengkapnya|lebih lanjut)|artikel terkait|simak juga|đọc thêm|xem thêm|tin liên quan|bài liên quan|อ่านเพิ่มเติม|ข่าวที่เกี่ยวข้อง
|関連記事|関連ニュース|おすすめ(?:情報|記事)?|あわせて読みたい|こちらもおすすめ|続きを読む|もっと見る|アクセスランキング|相关(?:阅读|新闻|报道|文章)|相關(?:閱讀|新聞|文章)|延伸(?:阅读|閱讀)|推荐阅读|热门(?:文章|新闻)|관련\s?기사|관련\s?뉴스|많이 본 뉴스|추천\s?기사|اقرأ (?:أيضا|أيضاً|ايضا|أيضًا|المزيد)|مواضيع ذات صلة|مقالات ذات صلة|شاهد أيضا|קראו (?:גם|עוד)|यह भी पढ़ें|ये भी पढ़ें|संबंधित खबरें|और पढ़ें
"""
"""What opens a pointer to other pages, `|`-separated, as whole lines or before a colon."""

CONTROLS = r"""
share(?: (?:this|on|via|with|article|story|now).{0,40})?|shares?|tweet|pin(?: it)?|e-?mail|print(?: (?:this )?(?:article|page))?|copy link|link copied.{0,30}|save|saved|save (?:article|story)|bookmark|facebook|twitter|whatsapp|telegram|linkedin|reddit|pinterest|flipboard|x|messenger|instagram|youtube|rss|follow|like|reply|report|back|back to (?:top|home|the top|homepage|news|index)|(?:go )?to (?:the )?(?:top|home ?page)|go to home page|home ?page|top|next|previous|prev|close|menu|search|log ?in|sign ?in|register|subscribe(?: now| today)?|sign ?up(?: (?:now|for our emails|here|today).{0,40})?|donate|skip to (?:main )?content|discuss(?: this article| on .{2,30})?|leave a (?:comment|reply)|(?:post|view|show|read|hide|load|add)(?: all| more| a| your| the)? ?(?:\(?\d*\)?) ?comments?.{0,20}|\(?\d*\)? ?comments?(?: \(?\d+\)?)?|join the (?:conversation|discussion).{0,40}|click to (?:tweet|enlarge|play).{0,30}|play(?: video)?|pause|mute|loading.{0,20}|advertisements?|sponsored(?: content)?|ad|promoted|article content|view gallery|view image.{0,30}|open image.{0,30}|enlarge image.{0,30}|image|photos?|video|audio|gallery|transcript|listen to article|text size|font size|a a a|expand|swipe.{0,30}|.{0,40}swipe →|tags?|topics?|comments are closed\.?|no comments(?: yet)?|opens? in (?:a )?new (?:window|tab)
|teilen|drucken|merken|kommentare?(?: lesen| anzeigen)?|\d+ kommentare?|anzeige|werbung|zur startseite|startseite|nach oben|zum seitenanfang|seite drucken|artikel (?:drucken|merken|teilen|anhören|verschenken|speichern|vorlesen)|schlagw[oö]rter?|themen|link kopieren|vorlesen|kopiert!?|zurück(?: zur übersicht)?
|partager(?: .{0,30})?|imprimer|commenter|commentaires?|publicité|haut de page|retour (?:en haut|à l['’]accueil)|accueil|enregistrer|copier le lien|écouter(?: l['’]article)?|réagir
|compartir(?: .{0,30})?|imprimir|comentar(?:ios?)?|publicidad|guardar|volver arriba|inicio|copiar enlace|escuchar|compartilh(?:ar|e)(?: .{0,30})?|comentários?|publicidade|anúncio|salvar|voltar ao topo|início|ouvir
|condividi(?: .{0,30})?|stampa|commenti?|pubblicità|torna su|salva|ascolta|delen|afdrukken|reacties?|advertentie|terug naar boven|del(?: (?:på|artikkelen|saken).{0,20})?|annons(?:e|er)?|annonce|dela(?: artikeln)?|skriv ut|kommentarer|kopier lenke|kopiera länk|lyt til artiklen|lyssna
|udostępnij|drukuj|komentarze?|reklama|skopiuj link|posłuchaj|sdílet|tisk|vytisknout|diskuse|diskuze|zdieľať|megosztás|hirdetés|distribuie|publicitate|поделиться|распечатать|комментарии|реклама|печать|вверх|на главную|поділитися|κοινοποίηση|σχόλια|διαφήμιση
|paylaş|yazdır|yorumlar?|reklam|bagikan|cetak|komentar|iklan|chia sẻ|bình luận|quảng cáo|シェア(?:する)?|ツイート|印刷|コメント|広告|トップ(?:へ|ページ)?|ページトップへ|記事を(?:保存|印刷)|分享|打印|列印|评论|評論|广告|廣告|返回顶部|공유(?:하기)?|인쇄|댓글|광고|مشاركة|شارك(?: الخبر| المقال)?|طباعة|تعليقات?|إعلان|कॉपी लिंक|शेयर|विज्ञापन|שתפו|פרסומת|תגובות
|swipe left below to view more authors.{0,12}|recommended videos?|popular|read next|lesedauer.{0,20}|wie hat ihnen dieser artikel gefallen\?|durchschnittliche bewertung.{0,20}|fehler gefunden\?.{0,40}|この記事を(?:シェア|保存|印刷).{0,10}|weiterlesen mit .{0,20}|нашли (?:опечатку|ошибку).{0,80}|other reports by .{2,40}|paid advertisement|send this story to a friend|best viewed .{0,30}|in kürze:?|darum geht(?:['’]?s| es)|kortversjonen|das wichtigste in kürze|auf einen blick|in brief|key (?:points|takeaways)|at a glance|l['’]essentiel|en resumen|em resumo|in breve|hlavní obsah|now reading|don['’]t want to see this\?.{0,20}|remove ads|scroll (?:to top|down to load comments.{0,5})|skip to (?:main )?content(?:skip to .{0,60})?|zum hauptinhalt springen|×|player wird geladen|embed|1 kommentar|neuere ältere|price at|most viewed .{0,20}|more (?:to explore|news)|(?:doporučované|deine meinung zählt|neueste artikel|aus dem ressort|zum selben thema|artikel veröffentlicht am.{0,4}|das neueste aus .{2,20}|e-paper|weitere newsletter|newsletter|web stories|i commenti dei lettori|leserkommentare|audiobeitrag|verwendete quellen|bezahlmethoden:?|→ ?leserbriefe|→ ?teilen.{0,24})
"""
"""Buttons, menu entries and slot labels; only as whole lines."""

APPEALS = r"""
(?:follow|like|join|find) (?:us|\S+(?: \S+){0,5}) on (?:facebook|twitter|instagram|x\b|whatsapp|telegram|tiktok|youtube|google news|social)|(?:download|get) (?:the|our) .{0,40}\bapp\b|support (?:our|independent|quality) journalism|get (?:access to|the latest|the day['’]s|all the|more|your|daily|breaking).{0,120}(?:newsletter|inbox|subscri|delivered|updates|pro for|power rankings|alerts)|thanks for signing up|keep an eye on your inbox|there was an error|an error (?:has )?occurred|(?:this|the) article has been sent|order reprints|write to .{2,60} at \S+@|if you buy something|your opinion is important|join our (?:comment|free|commenting)|join thought-provoking|this is a breaking|to order presentation-ready|please (?:keep comments|peer review|be respectful)|(?:you must be|be the first) (?:logged|to comment)|don['’]t want to see (?:this|ads)|explore further|(?:the )?(?:morning|daily|weekly|evening) .{2,40} newsletter$|.{2,30} newsletter$|log in or create|(?:this )?copy is for your personal|tell us what you think|have (?:a|any) (?:news )?tips?\b.{0,200}|(?:do you have|got) a (?:story|tip|news tip)|send (?:us )?your (?:stories|news|photos|tips).{0,80}@|we (?:want|['’]d (?:like|love)) to hear from you|what do you think\?.{0,100}$|if you enjoyed this|there['’]s plenty more where|thank you for (?:visiting|reading)|you are using (?:a browser|an outdated)|your (?:web )?browser (?:is|does)|this video (?:is|cannot)|please enable (?:javascript|cookies)|to (?:view|comment|watch) this .{0,60}(?:javascript|register|log ?in|sign)|by (?:signing up|submitting|clicking|subscribing|entering your)\b.{0,200}(?:agree|terms|privacy)|(?:this site|we) uses? cookies|we independently (?:select|review)|(?:listen|download|itunes|spotify|watch): ?https?:|this is a breaking (?:news )?story|this story (?:has been|will be) updated
|(?:folgen|folge|folgst) (?:sie|du|uns).{0,100}(?:facebook|instagram|twitter|whatsapp|google|tiktok|telegram|youtube|kanal|schon)|aktuelle nachrichten aufs handy|unabhängiger journalismus braucht|ich bin damit einverstanden|an dieser stelle (?:finden|befindet)|ihre meinung ist uns wichtig|ihr browser ist|sie können sich jederzeit wieder abmelden|dieser artikel ist (?:nur )?für abonnenten|diese[rn]? (?:artikel|beitrag) (?:teilen|jetzt)|dieser browser wird nicht|bitte wechseln sie zu einem
|(?:suivez|rejoignez|retrouvez)[- ]nous\b.{0,100}|(?:abonnez-vous|déjà abonné|je m['’]abonne|cet article est réservé)|vous souhaitez .{0,60}abonn
|(?:síguenos|sigue (?:toda|a|nuestr)|únete|descarga).{0,120}(?:facebook|twitter|whatsapp|instagram|telegram|google|app|canal|newsletter)|(?:siga|acompanhe|participe|entre|baixe)\b.{0,120}(?:facebook|twitter|whatsapp|instagram|telegram|google|canal|grupo|app)
|segui(?:ci)?\b.{0,100}(?:facebook|twitter|whatsapp|instagram|telegram|google|canale)|(?:volg|abonneer)\b.{0,100}(?:facebook|instagram|whatsapp|nieuwsbrief|twitter)
"""
"""How a line begins that asks the reader for something."""

PROMOTIONS = (
    ("inbox", r"\b(?:in|into|to) your (?:email )?inbox"),
    ("mailbox", r"\b(?:in|into|to) your mailbox"),
    (
        "newsletter",
        r"\b(?:our|free|this|daily|weekly|the) (?:\S+ ){0,3}newsletters?\b.{0,80}(?:here|subscri|sign|deliver|every|[.!]?$)|\bnewsletters?\b.{0,60}\b(?:subscrib|sign|delivered|deliver)|\bnewsletter\b.{0,120}(?:abonn|anmeld|bestell|informiert sie|kostenlos|hier entlang|jeden|postfach|richtig)|(?:abonn|anmeld|bestell|inscri|iscriv|suscr|assin|zapisz|odebíre|subskryb|prenumerera|schrijf).{0,120}\bnewsletter",
    ),
    ("value your privacy", r"^we value your privacy"),
    ("partners", r"\bour \d+ partners\b"),
    ("sign in", r"\bsign in to (?:take part|comment|join|continue|read)"),
    ("sign up", r"\bsign up\b.{0,80}\b(?:newsletters?|updates|emails?|e-mails?|alerts?|briefing|channel|podcast)\b"),
    (
        "subscribe",
        r"\bsubscribe (?:now|today|here|to (?:our|the .{2,40} (?:newsletter|podcast|channel)))\b|\bbecome a subscriber\b",
    ),
    ("become a", r"\bbecome a (?:supporter|member (?:today|now|for|to (?:get|read|enjoy|access)))\b"),
    ("follow", r"\bfollow .{2,60} on (?:twitter|facebook|instagram|x|linkedin|threads|bluesky)\b.{0,60}$"),
    ("commission", r"\b(?:we|us|site|may)\b.{0,30}\b(?:earn|receive|get)\b.{0,50}\bcommission"),
    ("affiliate link", r"\baffiliate links?\b"),
    ("share of the sale", r"share of the sale"),
    ("privacy", r"\bterms of (?:use|service)\b.{0,60}\bprivacy|\bour privacy policy\b.{0,80}$"),
    ("apple podcasts", r"\bavailable (?:now )?on (?:apple podcasts|spotify|itunes)"),
    ("trial", r"\bstart your (?:free )?trial"),
    ("see their replies", r"see their replies"),
    (
        "abonn",
        r"\babonnieren sie\b|\bjetzt abonnieren\b|\babonniere\b.{0,60}(?:kanal|newsletter|podcast)|\babonnez-vous\b|\babbonati\b.{0,100}",
    ),
    ("kostenlos", r"\b(?:wochen|monate?|tage) kostenlos testen|\bjetzt (?:gratis|kostenlos)\b"),
    ("jetzt", r"^.{0,60}\bjetzt (?:anmelden|registrieren|bestellen|weiterlesen)\b.{0,20}$"),
    ("folgen sie", r"\bfolgen sie\b.{0,60}\b(?:facebook|instagram|twitter|whatsapp|x|youtube|tiktok|google)\b"),
    ("bei social media", r"\bbei social media\b"),
    ("unterstützen sie", r"\bunterstützen sie (?:uns|unsere|unabhängigen)\b"),
    ("personenbezogene", r"\bpersonenbezogene daten (?:an|können)\b"),
    ("infolettre", r"\binfolettre"),
    ("inscri", r"\b(?:inscrivez-vous|inscreva-se|inscríbete)\b.{0,120}"),
    ("suscr", r"\bsuscr[ií]b(?:ete|ase|irse|irte)\b.{0,100}"),
    ("assine", r"\bassine (?:a|nossa|o|já|agora)\b.{0,80}"),
    ("iscriviti", r"\biscriviti\b.{0,100}"),
    ("nieuwsbrief", r"\b(?:schrijf|meld|ontvang|abonneer)\b.{0,80}\bnieuwsbrief"),
    ("nyhetsbrev", r"\b(?:meld|prenumerera|få|abonner|anmäl)\b.{0,80}\bnyhetsbrev"),
    ("nyhedsbrev", r"\b(?:tilmeld|få|abonner)\b.{0,80}\bnyhedsbrev"),
    ("odběru", r"\bpřihlaste se k odběru"),
    ("sledujte", r"^.{0,20}\bsledujte nás"),
    ("подпи", r"\bподпи(?:сывайтесь|шитесь)\b"),
    ("підпи", r"\bпідпи(?:суйтесь|шіться)\b"),
    ("abone", r"\babone ol(?:un|mak)?\b|\babonelere sunulan"),
    ("bergabung", r"\bbergabung(?:lah)? (?:di|dengan)\b.{0,60}(?:channel|telegram|whatsapp)"),
    ("登録", r"メルマガ登録|会員登録(?:する|はこちら)"),
    ("会員", r"有料会員(?:限定|になると)|会員限定です|会員向け記事"),
    ("有料", r"この記事は有料|有料記事(?:読み放題|です)"),
    ("订阅", r"订阅.{0,20}(?:邮件|通讯|频道)"),
    ("訂閱", r"訂閱.{0,20}(?:電子報|頻道)"),
    ("재배포", r"재배포\s?금지"),
    ("구독", r"구독하(?:기|세요)"),
    ("اشترك", r"اشترك (?:في|الآن)"),
    ("تابعونا", r"تابعونا"),
    ("הירשמו", r"הירשמו"),
    ("चैनल", r"व्हाट्सएप चैनल"),
)
"""What asks the reader for something, anywhere in a short line: a stem that must be there, and the pattern that decides."""

CREDITS = r"""
(?:\(|\[)?(?:additional |further )?(?:reporting|report|writing|edited|editing|written|produced|research|graphics|compiled|translated|translation|photos?|photograph(?:y|s)?|illustrations?)(?: and (?:writing|editing|reporting))? by\b.{0,400}|.{2,200}\bcontributed (?:to this (?:report|story|article)|reporting|writing|research)\b.{0,120}|.{2,160}\breported from\b.{2,160}|(?:with|mit) (?:files|reports?|reporting|additional reporting|wire|agencies|agency|material|dpa|afp|reuters|informationen|agenturen)\b.{0,160}|sources?\s?:.{1,120}|first (?:published|appeared) (?:in|on|at|by)\b.{0,120}|associated press writers? .{2,300}|(?:last )?updated?(?: (?:at|on))?\b[\s:].{2,60}|(?:©|\(c\)|copyright\b|all rights reserved).{0,240}|the views expressed.{0,300}|about the authors?\b.{0,60}|the authors?(?: is| are)?\b.{0,20}|die autor(?:in|en)|der autor|über (?:den|die) autor.{0,20}|zur person|email .{2,120}@.{2,80}|reach .{2,120}(?:@|twitter|http).{0,160}|contact (?:us|the (?:author|writer|reporter|editor)|.{2,60}(?:@|at )).{0,160}|follow (?:him|her|them|me|us|the author|[^.]{2,60}) (?:on|at|@).{2,120}|.{0,60}\bmay be reached at\b.{0,160}|.{0,80}can be reached (?:at|by|via|on)\b.{0,160}|filed under\b.{0,200}|posted in\b.{0,160}|tags?\s?:.{0,300}|keywords?\s?:.{0,300}|categor(?:y|ies|ia|ías|ias)\s?:.{0,160}|topics?\s?:.{0,200}|more ap .{2,120}|follow ap['’]s .{2,160}|for more (?:information|details|news|stories|coverage|updates|on|about)\b.{2,160}(?:https?:|visit|click|go to|see our|@).{0,160}|(?:click|tap) here (?:to|for) .{0,160}|visit .{2,80} (?:for|to) .{2,160}|https?://\S+|www\.\S+|\S+@\S+\.\w+|@\w+|twitter\.com/\S+|aus dem \S+ von .{2,60}|\(?quellen?\s?[:/].{0,160}\)?|eigene recherchen?|(?:fotos?|photos?|images?|bild(?:er|rechte|quelle)?|picture|copyright|credit|illustration|grafik|video)\s?[:/].{0,120}|erstveröffentlichung.{0,60}|\(?(?:mit|von) (?:material (?:von|der) )?(?:dpa|afp|reuters|apa|sda|sid|epd|kna|ap)\b.{0,60}\)?|mit informationen (?:der|von)\b.{0,200}|redaktion\s?:.{0,80}|\(?avec (?:afp|reuters|ap|agences?)\b.{0,60}\)?|\(?con (?:información|informazioni|agencias)\b.{0,80}\)?|com (?:informações|agências)\b.{0,80}|fonte\s?:.{0,120}|fuente\s?:.{0,120}|źródło\s?:.{0,120}|zdroj\s?:.{0,120}|kilde\s?:.{0,120}|källa\s?:.{0,120}|kaynak\s?:.{0,120}|источник\s?:.{0,120}|出典.{0,60}|来源\s?[:：].{0,60}|來源\s?[:：].{0,60}|출처\s?[:：].{0,60}|(?:責任編集|责任编辑|編輯|编辑)\s?[:：].{0,60}|\[?.{2,30}기자\]?(?: \S+@\S+)?|other reports by\b.{0,80}|more (?:articles|stories|posts|reports) (?:by|from)\b.{0,80}|view all posts.{0,60}|for personal(?:,| and) non-?commercial.{0,200}|issn.{0,40}|_{2,}|\*{1,5}|#{1,5}|-{2,}|[A-ZÄÖÜ]{2,6}(?:\s?/\s?[A-Za-zÄÖÜäöü]{2,6}){1,4}|related(?: post)?\s?:.{0,160}|advertisement.{0,60}|something to consider
"""
"""Whole lines that close an article: who helped, who owns it, how to reach whom, what it is filed under."""

READING_TIME = r"(?:(?:estimated )?(?:reading|read) time|lesezeit|lesedauer|temps de lecture|tiempo de lectura|tempo de (?:leitura|lettura)|leestijd|lesetid|lästid|czas czytania|doba čtení)\s*:?.{0,30}|\d+\s*(?:-| )?(?:min(?:ute)?s?\.?|minuten|minutos|minuti)(?:[ -](?:read|lesezeit|de lecture|de lectura|de leitura|di lettura|to read|leestijd))?"

MAX_PROMOTION = 320
"""Characters up to which a line may be a promotion: the longest labelled one has 290."""


_JOIN = re.compile(r"\s*\n\s*")


def _pattern(words: str) -> str:
    return "(?:" + _JOIN.sub("", words.strip()) + ")"


LABEL = re.compile(r"^[\W_]*" + _pattern(LABELS) + r"[\s:：.…>»→\-–|]*$", re.I)
LABEL_BEFORE = re.compile(r"^[\W_]*" + _pattern(LABELS) + r"\s*[:：>»|\-–—]\s*\S", re.I)
CONTROL = re.compile(r"^[\W_]*" + _pattern(CONTROLS) + r"[\s:.…>»→|!]*$", re.I)
APPEAL = re.compile(r"^[\W_]*" + _pattern(APPEALS), re.I)
PROMOTION = tuple((stem, re.compile(pattern)) for stem, pattern in PROMOTIONS)
CREDIT = re.compile(r"^[\s\-–—•(\[]*" + _pattern(CREDITS) + r"[\s.)\]|]*$", re.I)
READING = re.compile(rf"^[\W_]*(?:{READING_TIME})[\W_]*$", re.I)
SENTENCE_END = re.compile(r"[.!?…。！？।؟:;]['\"”’»«“)\]]*\s*$")
CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What is known of the article before its lines are judged."""

    titles: tuple[str, ...] = ()  #: the title and its rivals (h1, og:title, headline, window title)
    description: str | None = None
    authors: tuple[str, ...] = ()
    site_name: str | None = None
    link_share: Mapping[str, float] = field(default_factory=dict)  #: key() of a line -> share of it that is link text
    decks: Collection[str] = ()  #: keys of the lines which the page's markup sets apart from the body

    def share(self, line: str) -> float:
        """How much of a line is link text."""
        return self.link_share.get(key(line), 0.0)


def key(line: str) -> str:
    """A line without its white space and list mark: equal for a line of the page and of a reading of it."""
    return "".join(line.removeprefix("- ").split()).replace("\xad", "")


def width(line: str) -> int:
    """Characters, a Han, Kana or Hangul one counting three: as much as it says."""
    return len(line) + 2 * len(CJK.findall(line))


def is_prose(line: str) -> bool:
    """Whether a line is long enough and closed like a sentence."""
    length = width(line)
    return length >= PROSE_LENGTH and (bool(SENTENCE_END.search(line)) or length >= 3 * PROSE_LENGTH)


def is_label(line: str) -> bool:
    """`Read more`, `Auch interessant:`: it announces what is not the article."""
    return len(line) < 100 and bool(LABEL.match(line))


def is_control(line: str) -> bool:
    return len(line) < 80 and bool(CONTROL.match(line) or READING.match(line))


def is_promotion(line: str) -> bool:
    if len(line) > MAX_PROMOTION:
        return False
    lower = line.lower()
    return bool(APPEAL.match(line)) or any(stem in lower and pattern.search(lower) for stem, pattern in PROMOTION)


def is_pointer(line: str, share: float = 0.0) -> bool:
    """`Read also: Storm hits the coast`."""
    return len(line) < 260 and bool(LABEL_BEFORE.match(line)) and (share > 0.3 or len(line) < 160)


def is_credit(line: str) -> bool:
    return len(line) < 500 and bool(CREDIT.match(line))


def is_noise(line: str, share: float = 0.0) -> bool:
    """Whether a line is no part of an article wherever it stands."""
    return (
        not re.search(r"\w", line)
        or is_label(line)
        or is_control(line)
        or is_pointer(line, share)
        or is_promotion(line)
    )


# --------------------------------------------------------------------------------------------------------- head and tail

TIME_LINE = re.compile(
    r"^(?:\W*(?:\w+\W+){0,3})\d{1,2}[:.h]\d{2}(?:\s*(?:[ap]\.?m\.?|uhr|h|gmt|[a-z]{3,4}))?\b.{0,50}$|^\W*\d+\s+(?:min(?:ute)?s?|hours?|days?|stunden?|tagen?|heures?|jours?|horas?|días?)\s+(?:ago)?\W*$",
    re.I,
)
BYLINE = re.compile(
    r"^(?:(?:written |posted |published |reported |story |words |text )?by|(?:ein(?:e|en)? )?(?:kommentar|analyse|interview|gastbeitrag|essay|bericht|reportage)? ?von|vom|por|par|di|door|av|af|autor(?:in|es)?:|autor(?:es|en)?:|авторы?:|authors?:|author:|text:|bericht:|كتب:?|بقلم:?|إعداد:?|文[:：]|記者[:：]|记者[:：]|লেখক:|od|przez|автор:?|από|oleh|viết bởi)(?:\s*:)?\s+[^.!?]{2,90}$",
    re.I,
)
HEAD_LINES = 14
"""How far down the title may stand; the deepest among the labelled copies is the eleventh line."""
MAX_BYLINE = 160


def body_lines(lines: Sequence[str], about: About) -> list[str]:
    """The article's own lines: noise, the repeated head and the closing matter removed."""
    kept = [line for line in lines if not is_noise(line, about.share(line))]
    return drop_tail(drop_head(drop_link_lines(kept, about), about), about)


def drop_link_lines(lines: Sequence[str], about: About) -> list[str]:
    """Without the lines that are nothing but a link to another page, or a list entry that mostly is."""
    return [line for line in lines if not _is_link(line, about.share(line))]


def _is_link(line: str, share: float) -> bool:
    if line.startswith("- "):
        return share > LINKED_ITEM and not line.endswith(".")
    return share >= LINKED and not (is_prose(line) and len(line) > 2 * PROSE_LENGTH)


LINKED_ITEM = 0.7
LINKED = 0.85
"""Share of link text from which a line is a teaser."""


def drop_head(lines: Sequence[str], about: About) -> list[str]:
    """Without title, deck, byline and date line before the first sentence."""
    rest = list(lines[_after_title(lines, about) :])
    while rest and is_head_line(rest[0], about):
        rest.pop(0)
    return rest[_key_points(rest) :]


def _key_points(lines: Sequence[str]) -> int:
    """How many lines a list of the article's main points takes before the first paragraph, its label included."""
    begin = 1 if len(lines) > 1 and not is_prose(lines[0]) and lines[1].startswith("- ") else 0
    end = begin
    while (
        end < len(lines)
        and lines[end].startswith("- ")
        and len(lines[end]) > MIN_KEY_POINT
        and SENTENCE_END.search(lines[end])
    ):
        end += 1
    return end if 2 <= end - begin <= MAX_KEY_POINTS and end < len(lines) and is_prose(lines[end]) else 0


MIN_KEY_POINT = 40
MAX_KEY_POINTS = 5
"""A longer list at the top is the article itself."""


def _after_title(lines: Sequence[str], about: About) -> int:
    """Where the text begins below the title, 0 when the title is not repeated or prose stands above it."""
    for number, line in enumerate(lines[:HEAD_LINES]):
        if is_title(line, about):
            return number + 1
        if is_prose(line) and not is_deck(line, about):
            break
    return 0


def is_head_line(line: str, about: About) -> bool:
    return (
        MENU.fullmatch(line) is not None
        or is_title(line, about)
        or is_deck(line, about)
        or is_date_line(line)
        or is_byline(line, about)
        or (not is_prose(line) and is_credit(line))
    )


def is_title(line: str, about: About) -> bool:
    return len(line) < 400 and any(same_title(line, title) for title in about.titles)


def same_title(line: str, title: str) -> bool:
    """Equal up to a kicker or a site's name before or after, or up to a few words."""
    one, other = fold(line), fold(title)
    if not one or not other:
        return False
    short, long = sorted((one.replace(" ", ""), other.replace(" ", "")), key=len)
    if len(short) >= 0.6 * len(long) and len(short) > 8 and (long.startswith(short) or long.endswith(short)):
        return True
    words, others = set(one.split()), set(other.split())
    return short == long or (len(others) > 3 and len(words & others) >= 0.8 * len(words | others))


def is_deck(line: str, about: About) -> bool:
    return key(line) in about.decks


def is_date_line(line: str) -> bool:
    if len(line) >= 140 or is_prose(line) or len(re.findall(r"[^\W\d]+", line)) > 15:
        return False
    return bool(TIME_LINE.match(line)) or day_in_words(line) is not None


def is_byline(line: str, about: About) -> bool:
    """A short line that names the author, or begins like one."""
    if len(line) > MAX_BYLINE or is_prose(line):
        return False
    folded = f" {fold(line)} "
    named = any(f" {fold(author)} " in folded for author in about.authors if fold(author))
    return bool(BYLINE.match(line)) or (named and len(folded.split()) <= 14) or fold(line) in AGENCY_NAMES


def is_biography(line: str, about: About) -> bool:
    """`Ann Lee is the harbour correspondent of the Ledger.`"""
    begin = fold(line[:80])
    return len(line) < MAX_BIOGRAPHY and any(
        begin.startswith(name) for author in about.authors if " " in (name := fold(author))
    )


MENU = re.compile(r"[^|]{2,100}(?:\s\|\s[^|]{2,100}){2,}")
"""Entries side by side, as at the foot of a page; a table's row begins with its bar."""
MAX_BIOGRAPHY = 420
AGENCY_NAMES = frozenset(fold(name) for name in AGENCIES.split("|"))


def drop_tail(lines: Sequence[str], about: About) -> list[str]:
    """Without credits, contacts, links and headings that nothing follows."""
    rest = list(lines)
    while rest and is_tail_line(rest[-1], about):
        rest.pop()
    return rest


def is_tail_line(line: str, about: About) -> bool:
    share = about.share(line)
    return (
        is_credit(line)
        or MENU.fullmatch(line) is not None
        or is_biography(line, about)
        or is_title(line, about)
        or is_date_line(line)
        or is_byline(line, about)
        or (share > 0.5 and not is_prose(line))
    )
