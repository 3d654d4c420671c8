//! Phone books with their ranges: endpoints 15, 29, 45 and 47 of the guide.

use crate::centre::Centre;

/// Two books: team 2's is listed first in the file, and behind the global one in answers.
const BOOKS: &str = r#"
[[phone_book]]
id = 2
name = "Partners"
teams = [2]
contacts = [{ phone_number = "1" }, { phone_number = "2" }]
[[phone_book]]
id = 1
name = "All & sundry"
contacts = [{ first_name = "Ada", last_name = "Winter", phone_number = "0305", description = "d" }]
"#;

fn contact(book: u32, id: u32, number: &str) -> String {
    format!(
        "<Contact><description></description><firstName></firstName><lastName></lastName>\
         <phoneNumber>{number}</phoneNumber><uri>/finesse/api/PhoneBook/{book}/Contact/{id}</uri></Contact>"
    )
}

const ADA: &str = "<Contact><description>d</description><firstName>Ada</firstName><lastName>Winter</lastName>\
                   <phoneNumber>0305</phoneNumber><uri>/finesse/api/PhoneBook/1/Contact/1</uri></Contact>";

fn books(list: &str, global: &str, team: &str) -> String {
    format!(
        "<PhoneBooks><PhoneBook><{list}>{global}</{list}><name>All &amp; sundry</name><type>GLOBAL</type>\
         <uri>/finesse/api/PhoneBook/1</uri></PhoneBook><PhoneBook><{list}>{team}</{list}><name>Partners</name>\
         <type>TEAM</type><uri>/finesse/api/PhoneBook/2</uri></PhoneBook></PhoneBooks>"
    )
}

#[tokio::test]
async fn users_and_teams_get_books_with_contacts_the_global_ones_first() {
    let centre = Centre::new(BOOKS);
    let both = contact(2, 1, "1") + &contact(2, 2, "2");
    assert_eq!(centre.document("1003", "User/1003/PhoneBooks").await, books("contacts", ADA, &both));
    assert_eq!(centre.document("1003", "TeamResource/2/PhoneBooks").await, books("Contacts", ADA, &both));
    let own = centre.document("1002", "User/1002/PhoneBooks").await;
    assert!(own.contains("GLOBAL") && !own.contains("Partners"), "{own}");
}

#[tokio::test]
async fn a_range_counts_contacts_through_all_books() {
    let centre = Centre::new(BOOKS);
    let ask = async |range: &str| {
        let headers = [("Range", range)];
        centre.send("1003", "GET", "TeamResource/2/PhoneBooks", &headers, "").await
    };
    let whole = ask("objects=1-6000").await;
    assert_eq!((whole.status, whole.headers.get("content-range")), (200, None));
    assert_eq!(ask("objects=1-3").await.status, 200);
    for (range, told, global, team) in [
        ("objects=1-2", "objects 1-2/3", ADA, contact(2, 1, "1")),
        ("objects=3-9", "objects 3-3/3", "", contact(2, 2, "2")),
        ("objects=7-9", "objects */3", "", String::new()),
    ] {
        let part = ask(range).await;
        assert_eq!(part.status, 206, "{range}");
        assert_eq!(part.headers["content-range"], told);
        assert_eq!(part.body, books("Contacts", global, &team), "{range}");
    }
    for range in ["objects=0-5", "objects=1-6001", "objects=2-1", "objects=a"] {
        assert_eq!(ask(range).await.error(), "416 Range Not Satisfiable", "{range}");
    }
}

/// More contacts than fit into one answer are cut, range or not.
#[tokio::test]
async fn an_answer_has_six_thousand_contacts_at_most() {
    let contacts = "{ phone_number = \"1\" },".repeat(4000);
    let book = |id| format!("[[phone_book]]\nid = {id}\nname = \"b{id}\"\ncontacts = [{contacts}]\n");
    let centre = Centre::new(&(book(1) + &book(2)));
    let got = centre.get("1002", "User/1002/PhoneBooks").await;
    assert_eq!((got.status, got.body.matches("<Contact>").count()), (206, 6000));
    assert_eq!(got.headers["content-range"], "objects 1-6000/8000");
}

#[tokio::test]
async fn administrators_read_books_and_contacts_apart() {
    let centre = Centre::new(BOOKS);
    let book = "<PhoneBook><contacts>/finesse/api/PhoneBook/1/Contacts</contacts><name>All &amp; sundry</name>\
                <type>GLOBAL</type><uri>/finesse/api/PhoneBook/1</uri></PhoneBook>";
    assert_eq!(centre.document("admin", "PhoneBook/1").await, book);
    let all = centre.document("admin", "PhoneBooks").await;
    assert!(
        all.starts_with(&format!("<PhoneBooks>{book}<PhoneBook>")) && !all.contains("<Contact>"),
        "{all}"
    );
    let assigned = centre.document("admin", "Team/2/PhoneBooks").await;
    assert_eq!((assigned.matches("<PhoneBook>").count(), assigned.contains("Partners")), (1, true));
    assert_eq!(centre.document("admin", "PhoneBook/1/Contacts").await, format!("<Contacts>{ADA}</Contacts>"));
    assert_eq!(centre.document("admin", "PhoneBook/2/Contact/2").await, contact(2, 2, "2"));
    for path in ["PhoneBook/3", "PhoneBook/3/Contacts", "PhoneBook/2/Contact/3", "PhoneBook/x"] {
        assert_eq!(centre.refused("admin", path).await, "404 Not Found", "{path}");
    }
    for path in ["PhoneBooks", "PhoneBook/1", "PhoneBook/1/Contacts", "Team/2/PhoneBooks"] {
        assert_eq!(centre.refused("1001", path).await, "401 Authorization Failure", "{path}");
    }
    assert_eq!(
        centre.refused("1002", "User/1003/PhoneBooks").await,
        "401 Invalid Authorization User Specified"
    );
}
