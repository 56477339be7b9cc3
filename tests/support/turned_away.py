"""Pages that turn a visitor away with status 200, in many wordings and languages, and news briefs that speak of the same things.

All in our own words, after what such pages have in common. None of either has a date, an author or an address of its own. What is called
UNSEEN was written when the rules stood, and no rule was changed for it since.
"""

BLOCKS = (
    "<title>Access Denied</title><h1>Access Denied</h1><p>You do not have the rights to open this document on our server.</p><p>Reference 18.6f2ad1.17</p>",
    "<title>Request blocked</title><h1>Sorry, your request was stopped</h1><p>Our security service took this visit for an attack. If that is wrong, write to <a href='mailto:desk@a.example'>desk@a.example</a> and name the incident 7719-2210.</p>",
    "<title>403 Forbidden</title><center><h1>403 Forbidden</h1></center><hr><center>webserver/1.2</center><p>The way to this resource is closed for your address.</p>",
    "<meta name=robots content='noindex,nofollow'><title>Attention</title><h2>This visit has been restricted</h2><p>The owner of this website has set rules that keep some visitors out. Yours was among them.</p><p>Ray ID: 8ab1c2d3e4f5 &bull; Your IP: 192.0.2.17</p>",
    "<title>Unable to process</title><h1>We cannot let you in</h1><p>Too many requests came from your network within a short time. Please wait a few minutes and reload this page.</p>",
    "<title>Blocked</title><p>Your connection has been flagged by our firewall. Please contact support with the following ID: 0f4e-88aa-12.</p><p>Client IP 203.0.113.9</p>",
    "<title>Rate limit</title><h1>Slow down, please</h1><p>You have opened more pages than we allow in one hour. Try again later, or ask us for access to our programming interface.</p>",
    "<title>Zugriff verweigert</title><h1>Zugriff verweigert</h1><p>Ihre Anfrage wurde von unserem Schutzsystem abgelehnt. Bitte wenden Sie sich mit der Vorgangsnummer 4410-A an den Betreiber dieser Seite.</p>",
    "<title>Gesperrt</title><h1>Sie wurden gesperrt</h1><p>Von Ihrem Anschluss kamen ungewöhnlich viele Abfragen. Bitte versuchen Sie es später noch einmal.</p>",
    "<title>Accès refusé</title><h1>Accès refusé</h1><p>Votre requête a été rejetée par notre pare-feu. Veuillez contacter l'administrateur du site et lui indiquer la référence 77-AB-01.</p>",
    "<title>Acceso denegado</title><h1>No tiene permiso</h1><p>Su solicitud fue rechazada por motivos de seguridad. Si cree que es un error, escriba al administrador del sitio.</p>",
    "<title>Acesso negado</title><h1>Você foi bloqueado</h1><p>O seu endereço foi bloqueado pelo nosso sistema de proteção. Entre em contato com o suporte e informe o código 55-19.</p>",
    "<title>Accesso negato</title><h1>Accesso negato</h1><p>La tua richiesta è stata respinta dal nostro sistema di sicurezza. Contatta l'amministratore del sito se pensi che sia un errore.</p>",
    "<title>Toegang geweigerd</title><h1>Toegang geweigerd</h1><p>Uw verzoek is door onze beveiliging tegengehouden. Neem contact op met de beheerder van deze site als u denkt dat dit niet klopt.</p>",
    "<title>Odmowa dostępu</title><h1>Brak dostępu</h1><p>Twoje żądanie zostało odrzucone przez system ochrony. Jeśli to pomyłka, skontaktuj się z administratorem strony.</p>",
    "<title>Доступ запрещён</title><h1>Доступ запрещён</h1><p>Ваш запрос отклонён системой защиты сайта. Если вы считаете, что это ошибка, напишите администратору.</p>",
    "<title>アクセスが拒否されました</title><h1>アクセスが拒否されました</h1><p>お客様のリクエストはセキュリティ上の理由により遮断されました。お手数ですが、サイトの管理者にお問い合わせください。</p>",
    "<title>访问被拒绝</title><h1>访问被拒绝</h1><p>您的请求可能对网站造成安全威胁，已被防火墙拦截。如有疑问，请联系网站管理员，并提供事件编号。</p>",
    "<title>접근 거부</title><h1>접근이 거부되었습니다</h1><p>귀하의 요청은 보안 정책에 의해 차단되었습니다. 문제가 계속되면 사이트 관리자에게 문의해 주십시오.</p>",
    "<title>Erişim engellendi</title><h1>Erişim engellendi</h1><p>İsteğiniz güvenlik sistemimiz tarafından reddedildi. Bunun bir hata olduğunu düşünüyorsanız lütfen site yöneticisine yazın.</p>",
    "<title>Åtkomst nekad</title><h1>Åtkomst nekad</h1><p>Din begäran har stoppats av vårt skydd. Kontakta webbplatsens administratör om du tror att det är fel.</p>",
    "<title>Přístup odepřen</title><h1>Přístup odepřen</h1><p>Váš požadavek byl zablokován ochranou webu. Pokud jde o omyl, kontaktujte prosím správce stránek.</p>",
)
"""Firewalls, limits of requests, rights."""

CHALLENGES = (
    "<meta name=robots content=noindex><title>One moment</title><h1>One moment, please</h1><p>We are looking whether your browser is what it says it is. This takes a few seconds.</p><script src='/cdn-cgi/challenge-platform/h/b/orchestrate'></script>",
    "<title>Security check</title><h1>Are you a robot?</h1><p>Please solve the riddle below, so that we see a person is reading.</p><form method=post><div class=g-recaptcha></div><button>Go on</button></form>",
    "<title>a.example</title><p>Please show that you are no machine and press the button for three seconds.</p><div id=px-captcha></div><p>Reference ID 4f1a-22b0</p>",
    "<title>Human verification</title><h1>Let us confirm that you are human</h1><p>Complete the task below before you go on to our site.</p><script src='https://captcha.vendor.example/awswaf/captcha.js'></script>",
    "<meta http-equiv=refresh content='8'><title>DDoS protection</title><h1>Checking your visit</h1><p>You will be taken to the page in a few seconds. Please leave cookies switched on.</p>",
    "<title>Verification</title><h1>Unusual activity</h1><p>Something in how your network uses our pages looks automatic. Type the letters that you see in the picture to continue.</p><form><img src=/captcha.png alt=''><input name=captcha></form>",
    "<title>Einen Moment</title><h1>Sicherheitsüberprüfung</h1><p>Wir prüfen, ob Sie ein Mensch sind. Bitte lösen Sie die folgende Aufgabe, um fortzufahren.</p><div class='h-captcha'></div>",
    "<title>Vérification</title><h1>Êtes-vous un robot ?</h1><p>Veuillez cocher la case ci-dessous pour poursuivre votre navigation sur notre site.</p><div class=frc-captcha></div>",
    "<title>Verificación</title><h1>Comprobando su navegador</h1><p>Espere unos segundos, por favor. Será redirigido a la página que ha solicitado.</p>",
    "<title>Verificação</title><h1>Verificação de segurança</h1><p>Confirme que você não é um robô para continuar no nosso site.</p><div class=g-recaptcha></div>",
    "<title>Verifica</title><h1>Verifica di sicurezza</h1><p>Per continuare, conferma di non essere un robot. Abilita i cookie nel tuo browser e ricarica la pagina.</p>",
    "<title>Проверка браузера</title><h1>Проверка браузера</h1><p>Пожалуйста, подождите несколько секунд. Мы проверяем, что вы не робот.</p><script src='/.well-known/ddos-guard/js'></script>",
    "<title>セキュリティチェック</title><h1>ロボットではありませんか</h1><p>続行するには、下のチェックボックスにチェックを入れてください。ブラウザのクッキーを有効にしてください。</p>",
    "<title>安全验证</title><h1>请完成安全验证</h1><p>检测到您的网络环境存在异常，为了保证您的正常访问，请拖动滑块完成验证后继续。</p><div id=geetest></div>",
    "<title>Controle</title><h1>Bent u een robot?</h1><p>Vink het vakje hieronder aan, zodat wij zien dat u een mens bent. Daarna gaat u verder naar onze site.</p>",
)
"""Robots sorted out."""

CLOSED = (
    "<title>Maintenance</title><h1>Back in a moment</h1><p>Our site is being improved right now. Please come back a little later. Thank you for your patience.</p>",
    "<title>Site offline</title><h1>We are working on our website</h1><p>We will be with you again soon. Until then you reach our desk by telephone or at desk@a.example.</p>",
    "<title>503</title><h1>Service unavailable</h1><p>The server cannot answer your request at the moment. Please try again in some minutes.</p>",
    "<title>Overloaded</title><h1>We are very busy</h1><p>More readers than we can serve want to see our pages. You are in a queue, and this page will reload by itself.</p>",
    "<title>Wartungsmodus</title><h1>Wir sind gleich zurück</h1><p>Unsere Webseite wird gerade gewartet. Bitte schauen Sie in einer Stunde wieder vorbei. Vielen Dank für Ihre Geduld!</p>",
    "<title>Maintenance</title><h1>Site en cours de maintenance</h1><p>Notre site est momentanément indisponible. Merci de revenir un peu plus tard, veuillez nous excuser pour la gêne.</p>",
    "<title>En mantenimiento</title><h1>Volvemos pronto</h1><p>Nuestro sitio web está en obras. Le pedimos disculpas y le rogamos que vuelva a intentarlo más tarde.</p>",
    "<title>Manutenção</title><h1>Voltamos já</h1><p>O nosso site está em manutenção. Por favor, tente novamente mais tarde. Pedimos desculpa pelo incómodo.</p>",
    "<title>Manutenzione</title><h1>Torniamo presto</h1><p>Il nostro sito è in manutenzione. Ti preghiamo di riprovare più tardi. Ci scusiamo per il disagio.</p>",
    "<title>Onderhoud</title><h1>Even geduld</h1><p>Onze website is wegens onderhoud tijdelijk niet bereikbaar. Probeer het later opnieuw, onze excuses voor het ongemak.</p>",
    "<title>Przerwa techniczna</title><h1>Zaraz wracamy</h1><p>Nasza strona jest chwilowo niedostępna z powodu prac technicznych. Prosimy spróbować ponownie później. Przepraszamy!</p>",
    "<title>Технические работы</title><h1>Скоро вернёмся</h1><p>На нашем сайте проводятся технические работы. Пожалуйста, зайдите позже. Приносим извинения за неудобства.</p>",
    "<title>メンテナンス中</title><h1>ただいまメンテナンス中です</h1><p>ご不便をおかけして申し訳ございません。しばらくしてから、もう一度アクセスしてください。</p>",
    "<title>系统维护</title><h1>网站维护中</h1><p>本站正在进行系统升级，暂时无法访问。给您带来不便，敬请谅解，请稍后再试。</p>",
    "<title>Vedlikehold</title><h1>Straks tilbake</h1><p>Nettstedet vårt er nede for vedlikehold. Prøv igjen om litt, vi beklager ulempen for deg.</p>",
)
"""Repairs and overload."""

ELSEWHERE = (
    "<title>Not available</title><h1>Not available where you are</h1><p>Because of rules on data protection we cannot show our pages in your region. We regret this and ask for your understanding.</p>",
    "<title>Region</title><h1>Sorry, this page is closed to your country</h1><p>For reasons of law our website can only be read within the United States. Please contact us if you think that you see this by mistake.</p>",
    "<title>451</title><h1>Unavailable For Legal Reasons</h1><p>Access from your location is not granted. Questions? Write to privacy@a.example.</p>",
    "<title>Nicht verfügbar</title><h1>In Ihrer Region nicht verfügbar</h1><p>Aus rechtlichen Gründen können wir Ihnen diese Seite in Ihrem Land nicht zeigen. Wir bitten um Verständnis.</p>",
    "<title>Indisponible</title><h1>Contenu indisponible dans votre pays</h1><p>Pour des raisons juridiques, nous ne pouvons pas vous donner accès à notre site depuis votre région.</p>",
    "<title>No disponible</title><h1>Contenido no disponible en su país</h1><p>Por motivos legales no podemos mostrarle nuestro sitio desde su ubicación. Disculpe las molestias.</p>",
    "<title>Недоступно</title><h1>Недоступно в вашем регионе</h1><p>По требованию закона мы не можем показать вам эту страницу. Приносим извинения, если вы попали сюда по ошибке.</p>",
    "<title>ご利用いただけません</title><h1>お住まいの地域ではご利用いただけません</h1><p>法的な理由により、お客様の地域からは当サイトをご覧いただけません。ご了承ください。</p>",
)
"""Countries that are not served."""

PARKED = (
    "<title>a.example - This domain is for sale</title><h1>a.example</h1><p>Make an offer for this name today. Our brokers answer your questions within one working day.</p><a href='https://sedo.com/search'>Inquire</a>",
    "<title>a.example</title><h1>The domain a.example can be yours</h1><p>Secure payment, transfer within a day, and your money back if anything goes wrong. Price: 2,450 dollars.</p>",
    "<title>a.example</title><p>Related searches</p><ul><li>Loans</li><li>Insurance</li><li>Web hosting</li></ul><p>This page was made by the owner of the domain with parking. All names are trade marks of those who own them.</p><script src='//d1.parkingcrew.net/track.js'></script>",
    "<title>Domain expired</title><h1>a.example has expired</h1><p>If you are the owner of this domain, renew it with your registrar. Others may register it when its time has run out.</p>",
    "<title>Coming soon</title><h1>a.example is parked free of charge</h1><p>The owner has registered this domain and not put a site on it yet. Get your own domain here.</p>",
    "<title>a.example steht zum Verkauf</title><h1>a.example kaufen</h1><p>Die Domain a.example wird von ihrem Inhaber angeboten. Geben Sie jetzt ein Gebot ab, wir kümmern uns um den Umzug.</p>",
    "<title>a.example est à vendre</title><h1>Ce nom de domaine est à vendre</h1><p>Le propriétaire du domaine a.example le propose à la vente. Faites une offre dès maintenant.</p>",
    "<title>a.example en venta</title><h1>Este dominio está en venta</h1><p>El propietario ofrece a.example. Haga su oferta ahora y reciba el dominio en pocos días.</p>",
    "<title>a.example è in vendita</title><h1>Questo dominio è in vendita</h1><p>Il proprietario offre il dominio a.example. Fai subito la tua offerta.</p>",
    "<title>Domein te koop</title><h1>a.example is te koop</h1><p>De eigenaar van dit domein biedt het aan. Doe een bod, wij regelen de verhuizing voor u.</p>",
    "<title>Domena na sprzedaż</title><h1>Domena a.example jest na sprzedaż</h1><p>Właściciel oferuje tę domenę. Złóż ofertę, a my zajmiemy się przeniesieniem.</p>",
    "<title>Домен продаётся</title><h1>Домен a.example продаётся</h1><p>Владелец предлагает этот домен. Сделайте ставку, и мы поможем вам с переносом.</p>",
    "<title>域名出售</title><h1>域名 a.example 正在出售</h1><p>该域名的所有者愿意出售此域名。您可以在此提交报价，我们会尽快与您联系。</p>",
    "<title>a.example 販売中</title><h1>ドメイン a.example は販売中です</h1><p>このドメインは所有者により売りに出されています。ご購入を希望される方はお問い合わせください。</p>",
    "<title>Domínio à venda</title><h1>O domínio a.example está à venda</h1><p>O proprietário oferece este domínio. Faça já a sua oferta e receba-o em poucos dias.</p>",
)
"""Names without a paper."""

ODD = (
    "<title>Site protection</title><h2>Hold on a second</h2><p>To keep our service safe we look at each visitor before the page opens. Your browser will move on by itself. Needs scripts and cookies.</p><p>ID: 77ab-11cd-90</p>",
    "<title>Notice</title><h1>This content can't be shown</h1><p>Your organisation's network has been put on a list of addresses that may not use our website. Ask your technician, or tell us at help@a.example.</p>",
    "<title>We'll be right with you</title><h1>New server, new look</h1><p>We are moving our website to a faster machine tonight. Come back tomorrow morning and see what has changed. Thank you!</p>",
    "<title>Whoa there</title><h1>Easy!</h1><p>Your address has sent us a great many requests. To protect our readers we let you in again in ten minutes.</p>",
    "<title>Not permitted</title><h1>Not permitted</h1><p>The policy of this server does not permit your request. Incident number: 4711-aa-17. Date and time have been recorded.</p>",
    "<title>a.example | Buy this name</title><h1>a.example</h1><p>is now on the market. Send your bid and own it by tomorrow. We accept cards and transfers.</p>",
    "<title>Webhosting default page</title><h1>Welcome to a.example</h1><p>This is the placeholder of a new web space. If you are its owner, load up your own pages by FTP to replace it.</p>",
    "<title>Robot Check</title><h4>Type the characters you see in this image</h4><p>We just need to make sure you're not a machine. For best results, allow your browser to take cookies.</p><form action=/errors/validate><input name=field></form>",
    "<title>Log auf</title><h1>Ups, da ist etwas schiefgelaufen</h1><p>Unser Server ist gerade überlastet. Bitte laden Sie die Seite in wenigen Minuten neu.</p>",
    "<title>Zugang nicht möglich</title><h1>Kein Zugang</h1><p>Unser Angebot steht Leserinnen und Lesern außerhalb Deutschlands leider nicht offen. Bei Fragen schreiben Sie uns an leser@a.example.</p>",
    "<title>Pause</title><h1>Nous faisons peau neuve</h1><p>Notre site rouvrira demain matin avec une nouvelle présentation. Merci de votre patience, et à très vite !</p>",
    "<title>Alto</title><h1>Alto ahí</h1><p>Hemos detectado un uso automático desde su red. Si es usted una persona, marque la casilla para seguir leyendo nuestro periódico.</p>",
    "<title>Ops</title><h1>Algo deu errado</h1><p>Não conseguimos abrir a página agora. Recarregue em alguns minutos ou fale com o nosso atendimento.</p>",
    "<title>Попробуйте позже</title><h1>Слишком много обращений</h1><p>С вашего адреса поступает слишком много запросов к сайту. Подождите минуту и обновите страницу.</p>",
    "<title>ただいま混み合っています</title><h1>アクセスが集中しています</h1><p>現在、アクセスが大変混み合っております。お手数ですが、時間をおいて再度お試しください。</p>",
    "<title>提示</title><h1>您的访问过于频繁</h1><p>系统检测到您的操作过于频繁，请休息片刻后再刷新页面，或登录后继续浏览。</p>",
    "<title>Stai per entrare</title><h1>Prima di proseguire</h1><p>Dobbiamo capire se sei una persona. Spunta la casella qui sotto e prosegui la lettura sul nostro sito.</p><div class=h-captcha></div>",
    "<title>Geblokkeerd</title><h1>Deze pagina is voor u geblokkeerd</h1><p>Ons systeem ziet uw bezoek als een risico. Bel onze helpdesk en noem code 55-AA-09.</p>",
    "<title>Domain geparkt</title><h1>a.example</h1><p>Diese Domain wurde soeben registriert. Der Inhaber hat noch keine Inhalte hinterlegt. Sie möchten auch eine Domain? Fragen Sie uns.</p>",
    "<title>Web Page Blocked</title><h1>Web Page Blocked</h1><p>Access to the page you were trying to visit has been stopped in line with company policy. Category: news. User: 10.1.2.3</p>",
)
"""Others, in words that few of them use."""

NOTICES = (*BLOCKS, *CHALLENGES, *CLOSED, *ELSEWHERE, *PARKED, *ODD)

UNSEEN_NOTICES = (
    "<title>Gateway</title><h1>No entry</h1><p>The gateway in front of this site did not accept your visit. Case 90-AB-77. Ask the site's team for help and name the case.</p>",
    "<title>Wait a little</title><h1>Many people are here today</h1><p>Because of great interest our website is slow. Stay on this page: you will be let in as soon as there is room.</p>",
    "<title>Hosting account suspended</title><h1>This account has been suspended</h1><p>Please contact your hosting provider for more information.</p>",
    "<title>Geschlossene Gesellschaft</title><h1>Hier geht es nicht weiter</h1><p>Ihr Netzwerk steht auf einer Sperrliste. Melden Sie sich bei unserem Kundendienst und nennen Sie die Kennung 7A-B9.</p>",
    "<title>Pause technique</title><h1>Petite pause</h1><p>Nos équipes mettent le site à jour. Rechargez la page dans quelques minutes, merci !</p>",
    "<title>Restricción</title><h1>Esta web no se ofrece en su país</h1><p>Las normas europeas de protección de datos nos impiden mostrarle nuestras páginas. Lamentamos las molestias.</p>",
    "<title>Estamos offline</title><h1>Já voltamos</h1><p>Estamos a melhorar o nosso site para você. Volte daqui a uma hora.</p>",
    "<title>Rallenta</title><h1>Troppe richieste</h1><p>Hai aperto troppe pagine in poco tempo. Aspetta un minuto e ricarica la pagina del nostro sito.</p>",
    "<title>Ruch zablokowany</title><h1>Nietypowy ruch</h1><p>Z Twojej sieci przychodzi zbyt wiele zapytań do naszej strony. Odczekaj chwilę i odśwież.</p>",
    "<title>ボット確認</title><h1>確認のお願い</h1><p>人間による操作であることを確認しております。下のボタンを押して次のページへお進みください。</p>",
    "<title>504 Gateway Time-out</title><h1>504 Gateway Time-out</h1><p>The server did not answer in time. Please reload the page.</p>",
    "<title>Domain reserved</title><h1>a.example</h1><p>This domain was registered by a customer of ours and has no content yet. Look for your own name at our shop.</p>",
    "<title>Sprawdzamy</title><h1>Czy to na pewno Ty?</h1><p>Zaznacz pole poniżej, abyśmy wiedzieli, że stronę czyta człowiek.</p><div class=h-captcha></div>",
    "<title>抱歉</title><h1>服务器开小差了</h1><p>当前访问人数过多，请您稍后刷新页面重试。</p>",
    "<title>Подтверждение</title><h1>Вы человек?</h1><p>Нажмите на кнопку, чтобы продолжить чтение на нашем сайте. Это займёт пару секунд.</p>",
    "<title>Protected</title><h1>Protected by a shield</h1><p>Something you did has set off our shield: a certain word, a broken request, or data it did not know. Mail the owner and say what you were doing.</p>",
)


_BRIEFS = (
    ("Access denied", "Access denied is the name of a new play at the Harbour Theatre. A clerk loses her pass on a Monday and never gets back to her desk. The first night is sold out, and eleven more are planned before the theatre closes for the summer."),
    ("Road to Lowmarch blocked after landslide", "The road to Lowmarch has been blocked since Tuesday morning, when stones and mud came down beside the quarry. Nobody was hurt. Drivers are asked to go by way of Eastgate until the weekend, the police said."),
    ("Bank's website down for six hours", "Customers of the Harbour Bank could not use its website and its app for six hours on Thursday. A part in a computer centre had failed, a spokeswoman said. Payments that were made in that time have been booked since."),
    ("Domain for sale: town sells forest", "The town wants to sell forty hectares of its forest, the former domain of the counts. Offers can be made until the end of March. The opposition called the sale a mistake that could not be undone."),
    ("Maintenance works on the northern line", "No trains will run between Eastgate and the harbour on two weekends in May. The railway is going to renew two bridges and four kilometres of track. Buses will take passengers, and need twenty minutes longer."),
    ("What the new cookie law means", "From January websites must ask before they store a cookie. The parliament passed the law on Wednesday with the votes of both large parties. Small shops are exempt, larger ones have a year to change their pages."),
    ("Are you a robot?", "The question stands at the beginning of an exhibition in the old mill that opens on Saturday. Forty machines of four centuries are shown, among them a writing doll and a milking arm. Children under twelve pay nothing."),
    ("Man denied access to his own house", "For three weeks a pensioner from Southfield could not enter his own house, because the locks had been changed after a mix-up of two numbers. On Friday a court gave him back his keys, and costs."),
    ("Maintenance", "Fathers who live apart from their children will pay more maintenance from July. The ministry raised the rates by four per cent on Monday, the highest rise in ten years, and named rents as the reason."),
    ("Blocked", "The strait has been blocked for a second day. A freighter with nine thousand containers ran aground on Sunday night, and two tugs could not move it. Forty ships are waiting on either side, the coast guard said."),
    ("Fire", "A barn near Westby burned down on Sunday night. Nobody was hurt; sixty sheep were saved by neighbours. The police are looking for the cause, and put the damage at ninety thousand."),
    ("Temporarily closed", "The swimming pool in Mill Street is temporarily closed. Tiles came off the ceiling on Wednesday, as the council told us, and an expert is to look at the roof next week. Season tickets are extended."),
    ("Service unavailable on two ferries", "Passengers to the islands had to wait on Monday, as service was unavailable on two of the three ferries. One had lost an anchor, the other's crew was ill. The company hopes to have both back by Thursday."),
    ("Councillor: we will be back", "After the defeat of his party Councillor Reed said on Sunday that it would be back in four years. He leaves the chair to a younger colleague, who was elected with ninety of a hundred and ten votes."),
    ("Police check browser of suspect", "Investigators have found six hundred searches for boat engines in the browser of a man who is said to have stolen eleven of them. He was arrested on Friday, and says that he only meant to learn a trade."),
    ("Unusual traffic on the bridge", "Unusual traffic was counted on the harbour bridge at the weekend: four thousand cyclists, more than cars. The council had closed two lanes for a race, and now thinks about doing so every first Sunday."),
    ("Hackers demand money from newspaper", "Hackers have blocked the website of a newspaper in the north and demand money. The editors wrote the Tuesday issue by hand and printed it in a school. Subscribers got it by noon, only two hours late."),
    ("You are what you read", "Readers who own more than a hundred books live two years longer, a study says that was published on Monday. Its author warns of conclusions: you may well own books because you are healthy and well paid."),
    ("Your questions on the new bus line", "When does the new bus run? Every ten minutes, from five in the morning. Does your old ticket still count? Yes, until June. And why does it not stop at the hospital? The street is too narrow, says the company."),
    ("Village for sale", "A village of twelve houses in the hills is for sale. The owner, an heir from the capital, asks two million for the whole of it. Three families who still live there have the right to stay, their lawyer says."),
    ("Domain name of bankrupt airline sold", "The domain name of the bankrupt airline was sold for eighty thousand on Wednesday. The buyer is a maker of kites. The liquidator said that creditors would get two per cent of what they are owed."),
    ("Captcha turns twenty-five", "Letters that only people should be able to read have guarded forms for twenty-five years. Machines now solve them faster, researchers from Eastgate write. They ask for other ways of telling who is human."),
    ("Verification of signatures takes longer", "The verification of forty thousand signatures for the referendum takes longer than planned. The office needs until Friday, it said on Tuesday, because one box of forms had been left in a cellar."),
    ("Sorry", "The mayor has apologised for a remark on the people of Southfield. She was sorry, she told the council on Monday evening, and would spend a day there. Councillors from Southfield called that a beginning."),
    ("Please wait", "Please wait: so says a sign at the crossing in Mill Street that has shown red since September. The council found the fault last week, a rat, and hopes to have the lights repaired by the end of the month."),
    ("Contact with the probe lost", "Engineers have lost contact with the probe that was to land on the moon on Sunday. Its last signal came from a height of four kilometres. They will try again until Wednesday, when its batteries run out."),
    ("Straße nach Erdrutsch gesperrt", "Die Straße zwischen Niederau und Oberau ist nach einem Erdrutsch gesperrt. Verletzt wurde niemand, wie die Polizei am Dienstag mitteilte. Die Aufräumarbeiten dauern voraussichtlich bis zum Wochenende."),
    ("Wartungsarbeiten an der Schleuse", "Die Schleuse in Niederau bleibt im März drei Wochen lang geschlossen. Taucher sollen die Tore prüfen, wie das Amt am Montag mitteilte. Schiffe müssen so lange den Umweg über den alten Kanal nehmen."),
    ("Zugriff verweigert: Prozess um Passwörter", "Ein früherer Verwalter der Stadt steht vor Gericht, weil er nach seiner Entlassung die Passwörter nicht herausgab. Drei Tage lang konnte niemand Ausweise ausstellen. Der Mann sagte, niemand habe ihn gefragt."),
    ("Wald zu verkaufen", "Die Gemeinde Oberau will zwölf Hektar Wald verkaufen, um das Schwimmbad zu retten. Gebote nimmt sie bis Ende April an. Der Naturschutzbund kündigte am Freitag an, selbst mitzubieten und den Wald ruhen zu lassen."),
    ("Internetseite der Stadt stundenlang gestört", "Die Internetseite der Stadt war am Donnerstag stundenlang nicht erreichbar. Ein Bagger hatte ein Kabel zerrissen. Am Abend lief alles wieder; Anträge vom Vormittag müssen noch einmal gestellt werden."),
    ("Accès interdit à la plage du Nord", "La plage du Nord est interdite aux baigneurs depuis lundi. Des morceaux de falaise sont tombés pendant la nuit, sans faire de blessé. La mairie attend l'avis d'un géologue avant de rouvrir le chemin."),
    ("Le site de la mairie en panne", "Le site de la mairie est resté en panne toute la journée de mardi. Un câble avait été coupé par des travaux. Les demandes d'inscription à la cantine seront acceptées jusqu'à vendredi, a promis le maire."),
    ("Château à vendre", "Le château de Valmer est à vendre pour deux millions. Son propriétaire, âgé de quatre-vingt-dix ans, ne peut plus payer le toit. La région étudie un achat, a dit sa présidente mercredi."),
    ("Carretera bloqueada por la nieve", "La carretera del puerto permanece bloqueada por la nieve desde el domingo. Cuarenta conductores pasaron la noche en un polideportivo. La Guardia Civil espera abrir un carril el martes por la tarde."),
    ("Acceso restringido al centro", "El acceso de coches al centro quedará restringido desde mayo. El pleno lo aprobó el jueves con los votos de tres partidos. Los vecinos y los repartidores podrán entrar hasta las once de la mañana."),
    ("Obras de mantenimiento en el metro", "La línea dos del metro cerrará en agosto por obras de mantenimiento. La empresa cambiará once kilómetros de vía. Habrá autobuses gratuitos, dijo el consejero, y el billete costará la mitad."),
    ("Estrada bloqueada por protesto", "Agricultores bloquearam na segunda-feira a estrada do porto com sessenta tratores. Pedem que o governo pague os prejuízos da seca. A polícia desviou o trânsito e não houve feridos nem detidos."),
    ("Site do governo fora do ar", "O site do governo ficou fora do ar durante cinco horas na terça-feira. O ministério negou um ataque e falou de uma falha elétrica. O prazo das declarações foi alargado até ao fim da semana."),
    ("Accesso vietato al lago", "Il lago di Monteverde resta chiuso ai bagnanti. Le analisi di lunedì hanno trovato alghe tossiche vicino alla diga. Il comune ripeterà i controlli tra dieci giorni, ha detto il sindaco ai giornalisti."),
    ("Manutenzione straordinaria del ponte", "Il ponte sul fiume chiuderà per due mesi. I tecnici cambieranno le funi e il manto stradale. Il traffico passerà per la statale, e il comune ha promesso bus gratuiti agli studenti."),
    ("Toegang tot strand afgesloten", "Het strand bij Noorderduin is sinds maandag afgesloten. Er spoelden veertig vaten aan van een schip dat in de storm lading verloor. De kustwacht laat de vaten weghalen en verwacht woensdag klaar te zijn."),
    ("Website van gemeente plat", "De website van de gemeente lag woensdag acht uur plat. Een update was misgegaan, zei de wethouder. Wie die dag een paspoort wilde aanvragen, mag zaterdag zonder afspraak langskomen."),
    ("Droga zablokowana przez rolników", "Rolnicy zablokowali w poniedziałek drogę do portu. Domagają się wyższych cen skupu zboża. Policja skierowała samochody na objazd, a minister zapowiedział rozmowy na środę rano."),
    ("Przerwa techniczna w elektrowni", "Elektrownia w Nowym Porcie stanie na sześć tygodni. Pracownicy wymienią turbinę, która ma czterdzieści lat. Prądu nie zabraknie, zapewnił dyrektor, bo pracować będą dwie inne."),
    ("Дорогу перекрыли после схода лавины", "Дорога к перевалу закрыта со вторника, когда на неё сошла лавина. Никто не пострадал. Спасатели вывели тридцать туристов и обещают открыть одну полосу к выходным, сообщили в ведомстве."),
    ("Сайт банка не работал шесть часов", "Клиенты банка шесть часов не могли войти в приложение. Причиной стал отказ оборудования, рассказали в пресс-службе. Все платежи, сделанные за это время, уже проведены."),
    ("Лес продаётся", "Администрация посёлка решила продать сорок гектаров леса. Заявки принимают до конца марта. Жители собрали семьсот подписей против сделки и передали их губернатору в понедельник."),
    ("港の橋、保守工事で通行止め", "市は火曜日、港の橋を来月三日から二週間、保守工事のため通行止めにすると発表した。橋は完成から五十年がたち、ケーブルの交換が必要になっていた。期間中は無料の渡し船が運航される。"),
    ("市のサイト、一時閲覧できず", "市のウェブサイトが木曜日の午前、約三時間にわたって閲覧できなくなった。市によると、機器の故障が原因で、外部からの攻撃ではないという。午後には復旧し、申請の受け付けも再開した。"),
    ("山体滑坡致公路中断", "星期二上午，一处山体滑坡导致通往港口的公路中断，没有人员伤亡。交通部门表示，抢修工作预计持续到周末，期间车辆须绕行东门大桥，高峰时段将多花二十分钟。"),
    ("银行网站瘫痪六小时", "港口银行的网站和手机应用周四瘫痪六小时，上万名客户受到影响。该行发言人说，故障由机房设备引起，并非攻击，期间的付款已全部入账，客户不会受到任何损失。"),
    ("다리 보수 공사로 통행 제한", "시는 다음 달 삼일부터 두 주 동안 항구 다리의 통행을 제한한다고 화요일 밝혔다. 준공된 지 오십 년이 지나 케이블을 바꿔야 하기 때문이다. 공사 기간에는 무료 나룻배가 다닌다."),
    ("Köprü bakım için kapatılıyor", "Liman köprüsü mayıs ayında iki hafta boyunca bakım için kapatılacak. Belediye başkanı pazartesi günü halatların değişeceğini söyledi. Yolcular bu sürede ücretsiz vapurlarla taşınacak."),
    ("Vägen spärrad efter ras", "Vägen mellan Norrby och hamnen är avstängd efter ett ras natten till tisdagen. Ingen skadades. Räddningstjänsten räknar med att ett körfält kan öppnas före helgen, sade en talesman."),
    ("Silnice zůstane zavřená", "Silnice do přístavu zůstane po sesuvu půdy zavřená nejméně do pátku. Nikdo nebyl zraněn. Řidiči musí jet po objížďce, která je o dvanáct kilometrů delší, řekl v úterý mluvčí policie."),
    ("Security check at stadium gets stricter", "Fans must come two hours before the match on Saturday, as every bag is going to be searched. The club tightened its security check after flares were lit in the last game. Bottles have to stay outside."),
    ("Minister's account suspended", "The account of the minister for health was suspended for two days after strangers had posted adverts from it. It was given back to her on Wednesday. She had used the name of her dog as a password."),
    ("Forbidden City gets new roof", "Workers have begun to replace ninety thousand tiles on the roofs of the palace. They are burned in the same village as six hundred years ago. The main halls stay open while they work, the museum said."),
    ("Gone in a moment", "Just a moment was all it took: while a jeweller in Eastgate turned round to fetch a box, two men left with eleven rings. The police have pictures from a camera across the street and ask for witnesses."),
    ("Readers can help the library move", "You can help: the library in Mill Street asks its readers to carry forty thousand books to the new building on Saturday. Please bring a bag, the librarian says. Whoever carries twenty books gets soup."),
    ("Clinic not available in three districts", "Emergency clinics are not available in your district at night if you live in Westby, Lowmarch or Southfield. That is what a list of the ministry shows that was published on Friday. Doctors speak of a disgrace."),
    ("Expired", "A licence that had expired in 1911 stopped the building of a hotel on Monday. Workers had found it in a wall. A court must now say whether the ground still belongs to a brewery that nobody has heard of since."),
)  # fmt: skip

_UNSEEN = (
    (
        "How to report a fault on the council's website",
        "Residents can now report broken lamps on the website of the council. You need no account: choose the street, write what is wrong and send it. The council promises an answer within five days, and has hired two electricians.",
    ),
    (
        "Please do not feed the swans",
        "Please do not feed the swans on the mill pond: that is what new signs say in four languages. Bread makes the birds ill, a vet explains. Whoever is caught pays forty, but on Sundays nobody checks.",
    ),
    (
        "We are closed: last day at the corner shop",
        "We are closed, says a note on the door that Anna Weir has opened every morning for fifty years. Thank you for everything, it goes on. Her customers brought cake on Saturday, and one of them an accordion.",
    ),
    (
        "Your rights when a train is late",
        "If your train is an hour late you get back a quarter of the price, from two hours half. You can ask for the money on the site of the railway or at a counter. Keep the ticket, the consumer office advises.",
    ),
    (
        "Password changes at the university",
        "Students have to change their passwords by Friday, the university said, after somebody had copied a list of forty thousand addresses. A browser warns of old ones. Those who forget must come to the office in person.",
    ),
    (
        "Server room floods",
        "Water from a burst pipe ran into the server room of the hospital on Sunday. For nine hours doctors wrote on paper. No data were lost, the director said, and thanked a caretaker who had turned off the tap.",
    ),
    (
        "Bot writes letters for pensioners",
        "A volunteer has built a bot that writes letters to the pension office. You tell it your story, it asks back, and at the end there is a page to sign. Eight hundred have used it since May, he says.",
    ),
    (
        "Queue",
        "The queue began at four in the morning and went twice round the theatre. Three thousand tickets for the farewell of the old clown were gone within an hour. Some had brought chairs, and one couple their wedding.",
    ),
    (
        "Webseite des Zoos zeigt Pinguine rund um die Uhr",
        "Wer nicht schlafen kann, darf Pinguinen zusehen: Der Zoo zeigt sie auf seiner Webseite rund um die Uhr. Bitte nicht erschrecken, sagt der Direktor, nachts stehen sie nur herum. In der ersten Woche sahen neuntausend zu.",
    ),
    (
        "Wir haben nachgefragt",
        "Warum ist das Freibad noch zu? Wir haben bei der Stadt nachgefragt. Ein Ventil fehlt, hieß es, es komme aus Italien und sei bestellt. Bis Ende Mai soll alles laufen, und die Dauerkarten gelten länger.",
    ),
    (
        "Vos questions sur la taxe",
        "Vous avez été nombreux à nous écrire sur la nouvelle taxe. Elle vise les résidences vides depuis deux ans, répond la mairie. Un formulaire est en ligne sur le site de la ville, et les recours sont possibles jusqu'en juin.",
    ),
    (
        "Lo sentimos por los vecinos",
        "La alcaldesa pidió disculpas el martes por el ruido de las fiestas. Lo sentimos por los vecinos, dijo, y prometió que la orquesta callará a las dos. Los vecinos quieren que sea a la una y llevarán el caso al pleno.",
    ),
    (
        "Site maintenance is a job for goats",
        "Forty goats keep the grass short between the panels of the solar park. Site maintenance used to cost six thousand a year, its owner says; now it costs a fence and a shepherd. Two more parks want to do the same.",
    ),
    (
        "お客様感謝の朝市",
        "港の朝市が日曜日、五十周年を迎えた。お客様への感謝を込めて、組合は先着三百人に味噌汁を振る舞った。最年長の店主は九十一歳で、来年も店に立つつもりだと話した。",
    ),
    (
        "您的垃圾该怎么分",
        "下月起，全市实行新的垃圾分类办法。您的厨余垃圾将由绿色车辆收运，每周三次。市环卫部门表示，前三个月以劝导为主，不会罚款，居民可以在社区领取新的垃圾桶。",
    ),
    (
        "Verify, then trust",
        "Verify, then trust: under this motto forty pupils learned on Thursday how to look for the source of a picture. Their teacher showed them a shark in a flooded street that never was there. All but two had believed it.",
    ),
)

_PLAIN = "<html><head><title>{0}</title></head><body><h1>{0}</h1><p>{1}</p></body></html>"
_SITE = """<html><head><title>{0} - The Ledger</title></head><body><div class=top><a href=/>The Ledger</a> <a href=/news>News</a> <a href=/sport>Sport</a>
<a href=/local>Local</a></div><div class=story><h1>{0}</h1><p>{1}</p></div><div class=foot><a href=/imprint>Imprint</a> <a href=mailto:desk@a.example>Write to us</a></div></body></html>"""
_UNLISTED = "<html><head><title>{0}</title><meta name=robots content='noindex'></head><body><h2>{0}</h2><p>{1}</p></body></html>"


def _pages(briefs: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    return tuple(
        (_PLAIN, _SITE, _UNLISTED)[number % 3].format(title, text) for number, (title, text) in enumerate(briefs)
    )


BRIEFS, UNSEEN_BRIEFS = _pages(_BRIEFS), _pages(_UNSEEN)
"""News of closed roads, websites that were down, forests for sale; in three templates, none of which says that they are articles."""
